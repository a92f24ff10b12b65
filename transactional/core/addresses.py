"""The address of a parcel over the wire: one shape for checkout and for changes of an order."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from transactional.core.gstin import checked_gstin

_NO_NUL = r"^[^\x00]*$"
_Line = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_NUL)]


class AddressIn(BaseModel):
    """Where the parcel goes."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    recipient: _Line = Field(examples=["Asha Rao"])
    phone: str | None = Field(default=None, max_length=20, pattern=r"^[0-9+() -]*$", examples=["+919812345678"])
    line1: _Line = Field(examples=["12 MG Road"])
    line2: str | None = Field(default=None, max_length=200, pattern=_NO_NUL, examples=["Flat 3B"])
    city: str = Field(min_length=1, max_length=120, pattern=_NO_NUL, examples=["Bengaluru"])
    state: str | None = Field(default=None, max_length=120, pattern=_NO_NUL, examples=["Karnataka"])
    postal_code: str = Field(min_length=1, max_length=16, pattern=_NO_NUL, examples=["560001"])
    country: str = Field(min_length=2, max_length=64, pattern=_NO_NUL, examples=["IN"])
    gstin: Annotated[str, AfterValidator(checked_gstin)] | None = Field(
        default=None,
        max_length=20,
        description="A business's tax number, for its invoice",
        examples=["27AAPFU0939F1ZV"],
    )
