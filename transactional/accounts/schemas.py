"""Accounts on the wire."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from transactional.accounts.models import Address, Customer, User
from transactional.accounts.service import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH
from transactional.accounts.sessions import DeviceSession, TokenPair
from transactional.core.access import Actor

Email = Annotated[str, Field(min_length=3, max_length=320, examples=["asha@example.com"])]
NewPassword = Annotated[
    str,
    Field(
        min_length=MIN_PASSWORD_LENGTH, max_length=MAX_PASSWORD_LENGTH, examples=["a long walk by the sea"], repr=False
    ),
]
Password = Annotated[
    str, Field(min_length=1, max_length=MAX_PASSWORD_LENGTH, examples=["a long walk by the sea"], repr=False)
]
_Text = StringConstraints(strip_whitespace=True, min_length=1)
FullName = Annotated[str, _Text, Field(max_length=200, examples=["Asha Rao"])]
Phone = Annotated[str, Field(pattern=r"^\+?[0-9][0-9 ()-]{4,18}$", examples=["+91 98450 12345"])]
City = Annotated[str, _Text, Field(max_length=120, examples=["Bengaluru"])]
Country = Annotated[str, _Text, Field(max_length=64, examples=["India"])]


class RegistrationIn(BaseModel):
    """A new shopper."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    password: NewPassword
    full_name: FullName
    phone: Phone | None = None
    country: Country | None = None
    city: City | None = None
    birthday: date | None = Field(default=None, examples=["1992-11-03"])
    acquisition_channel: str = Field(default="direct", pattern=r"^[a-z0-9_]{1,32}$", examples=["instagram"])
    marketing_consent: bool = Field(default=False, examples=[True])


class RegistrationOut(BaseModel):
    """The same answer whether the address was known or not: the mailbox alone learns the difference."""

    status: str = Field(default="accepted", examples=["accepted"])


class LogInIn(BaseModel):
    """Credentials of shopper or staff."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    password: Password


class RefreshIn(BaseModel):
    """The refresh token of the last answer."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: str = Field(min_length=10, max_length=200, examples=["rt_2vQm…"], repr=False)


class TokensOut(BaseModel):
    """A session's tokens. Keep the refresh token safe; it works once."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiIs…"])
    token_type: str = Field(default="bearer", examples=["bearer"])
    expires_in: int = Field(description="Seconds that the access token lives", examples=[900])
    refresh_token: str = Field(examples=["rt_2vQm…"])

    @classmethod
    def of(cls, pair: TokenPair) -> "TokensOut":
        """Shape a pair."""
        return cls(access_token=pair.access_token, refresh_token=pair.refresh_token, expires_in=pair.expires_in)


class ProfileOut(BaseModel):
    """The customer behind an account."""

    customer_id: int = Field(examples=[12])
    phone: str | None = Field(examples=["+91 98450 12345"])
    country: str | None = Field(examples=["India"])
    city: str | None = Field(examples=["Bengaluru"])
    birthday: date | None = Field(examples=["1992-11-03"])
    marketing_consent: bool = Field(examples=[True])


class MeOut(BaseModel):
    """Who is logged in, and what they may."""

    id: str = Field(examples=["usr_4k2v9m0q7d8w1x5y3z6a7b8c9d"])
    email: str = Field(examples=["asha@example.com"])
    full_name: str = Field(examples=["Asha Rao"])
    roles: list[str] = Field(examples=[["customer"]])
    permissions: list[str] = Field(examples=[["read_orders", "write_orders"]])
    profile: ProfileOut | None = Field(description="Null for staff who never shopped")
    created_at: datetime

    @classmethod
    def of(cls, user: User, customer: Customer | None, actor: Actor) -> "MeOut":
        """Shape an account and its holder's rights."""
        return cls(
            id=user.public_id,
            email=user.email,
            full_name=user.full_name,
            roles=sorted(actor.roles),
            permissions=sorted(actor.permissions),
            profile=None if customer is None else _profile(customer),
            created_at=user.created_at,
        )


def _profile(customer: Customer) -> ProfileOut:
    return ProfileOut(
        customer_id=customer.id,
        phone=customer.phone,
        country=customer.country,
        city=customer.city,
        birthday=customer.birthday,
        marketing_consent=customer.marketing_consent,
    )


class ProfileIn(BaseModel):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"city": "Mysuru"}]})

    full_name: FullName = Field(default="", validate_default=False)
    phone: Phone | None = None
    country: Country | None = None
    city: City | None = None
    birthday: date | None = None
    marketing_consent: bool = False

    def changes(self) -> dict[str, Any]:
        """Only what was sent."""
        return self.model_dump(exclude_unset=True)


class PasswordChangeIn(BaseModel):
    """The present password proves that it is you."""

    model_config = ConfigDict(extra="forbid")

    current_password: Password
    new_password: NewPassword


class SessionOut(BaseModel):
    """One device that is logged in."""

    id: str = Field(examples=["ses_4k2v9m0q7d8w1x5y3z6a7b8c9d"])
    user_agent: str | None = Field(examples=["Mozilla/5.0 (Android 15)"])
    last_used_at: datetime
    expires_at: datetime
    current: bool = Field(description="Whether it is the one that asks", examples=[True])

    @classmethod
    def of(cls, session: DeviceSession, *, current_id: str | None) -> "SessionOut":
        """Shape one device's session."""
        return cls(
            id=session.id,
            user_agent=session.user_agent,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            current=session.id == current_id,
        )


class SavedAddressIn(BaseModel):
    """Where a parcel shall go."""

    model_config = ConfigDict(extra="forbid")

    recipient: FullName
    phone: Phone | None = None
    line1: str = Field(min_length=1, max_length=200, examples=["14 Temple Street"])
    line2: str | None = Field(default=None, max_length=200, examples=["2nd floor"])
    city: City
    state: str | None = Field(default=None, max_length=120, examples=["Karnataka"])
    postal_code: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]{1,14}$", examples=["560003"])
    country: Country


class AddressOut(SavedAddressIn):
    """An address of the book."""

    id: int = Field(examples=[3])

    @classmethod
    def of(cls, address: Address) -> "AddressOut":
        """Shape an address."""
        return cls.model_construct(
            id=address.id,
            recipient=address.recipient,
            phone=address.phone,
            line1=address.line1,
            line2=address.line2,
            city=address.city,
            state=address.state,
            postal_code=address.postal_code,
            country=address.country,
        )
