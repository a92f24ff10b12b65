"""Where goods go: states by whatever a customer typed, pincodes where they typed nothing useful."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.documents.pincodes import state_code_of_pincode
from transactional.documents.states import (
    ABROAD,
    STATES,
    PlaceOfSupplyUnknown,
    find_state,
    place_of_supply,
    state_name,
)


def test_all_states_and_union_territories_are_known() -> None:
    assert len(STATES) == 36
    assert sum(state.union_tax for state in STATES.values()) == 5


@pytest.mark.parametrize("code", sorted(STATES))
def test_a_state_is_found_by_its_code_name_and_every_alias(code: str) -> None:
    state = STATES[code]
    for word in (code, state.name, state.name.upper(), *state.aliases):
        found = find_state(word)
        assert found is not None, word
        assert found.code == code, word


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("karnatka", "Karnataka"),
        ("Karnāṭaka", "Karnataka"),
        (" TAMILNADU ", "Tamil Nadu"),
        ("J & K", "Jammu and Kashmir"),
        ("U.P.", "Uttar Pradesh"),
        ("Orissa", "Odisha"),
        ("Pondicherry", "Puducherry"),
        ("Daman & Diu", "Dadra and Nagar Haveli and Daman and Diu"),
        ("Andhra Predesh", "Andhra Pradesh"),
        ("कर्नाटक", "Karnataka"),
    ],
)
def test_spelling_is_forgiven(typed: str, name: str) -> None:
    found = find_state(typed)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("typed", ["", "   ", "Bangalore", "Pradesh", "Goaa", "X", "Bavaria", "🎁", "00", "96"])
def test_what_is_no_state_is_not_guessed(typed: str) -> None:
    assert find_state(typed) is None


@pytest.mark.slow
@given(st.text(max_size=60))
def test_any_text_is_a_state_or_none(typed: str) -> None:
    found = find_state(typed)
    assert found is None or found.code in STATES


@pytest.mark.parametrize(
    ("pincode", "state"),
    [
        ("560001", "Karnataka"),
        ("110001", "Delhi"),
        ("160017", "Chandigarh"),
        ("140301", "Punjab"),
        ("194101", "Ladakh"),
        ("190001", "Jammu and Kashmir"),
        ("248001", "Uttarakhand"),
        ("226001", "Uttar Pradesh"),
        ("403 001", "Goa"),
        ("400001", "Maharashtra"),
        ("396210", "Dadra and Nagar Haveli and Daman and Diu"),
        ("380001", "Gujarat"),
        ("492001", "Chhattisgarh"),
        ("500001", "Telangana"),
        ("520001", "Andhra Pradesh"),
        ("605001", "Puducherry"),
        ("600001", "Tamil Nadu"),
        ("682555", "Lakshadweep"),
        ("682001", "Kerala"),
        ("737101", "Sikkim"),
        ("700001", "West Bengal"),
        ("744101", "Andaman and Nicobar Islands"),
        ("751001", "Odisha"),
        ("781001", "Assam"),
        ("791111", "Arunachal Pradesh"),
        ("793001", "Meghalaya"),
        ("795001", "Manipur"),
        ("796001", "Mizoram"),
        ("797001", "Nagaland"),
        ("799001", "Tripura"),
        ("800001", "Bihar"),
        ("834001", "Jharkhand"),
    ],
)
def test_pincodes_tell_the_state(pincode: str, state: str) -> None:
    assert state_name(state_code_of_pincode(pincode) or "") == state


@pytest.mark.parametrize("wrong", ["", "56000", "5600011", "00000a", "900001", "000000", "५६०००१", "SW1A 1AA"])
def test_what_is_no_pincode_tells_nothing(wrong: str) -> None:
    assert state_code_of_pincode(wrong) is None


class TestPlaceOfSupply:
    def test_the_state_counts_before_the_pincode(self) -> None:
        assert place_of_supply(state="Kerala", postal_code="560001", country="IN") == "32"

    def test_the_pincode_stands_in_for_an_unknown_state(self) -> None:
        assert place_of_supply(state="Bangalore", postal_code="560001", country="India") == "29"
        assert place_of_supply(state=None, postal_code="560001", country=None) == "29"

    @pytest.mark.parametrize("country", ["IN", "in", "IND", "India", " INDIA ", "भारत", "", None])
    def test_home_has_many_names(self, country: str | None) -> None:
        assert place_of_supply(state="Goa", postal_code="", country=country) == "30"

    @pytest.mark.parametrize(
        "country", ["GB", "United Kingdom", "Nepal", "Indonesia", "British Indian Ocean Territory"]
    )
    def test_other_countries_are_exports(self, country: str) -> None:
        assert place_of_supply(state="Karnataka", postal_code="560001", country=country) == ABROAD

    def test_an_address_that_tells_nothing_is_a_problem_that_says_so(self) -> None:
        with pytest.raises(PlaceOfSupplyUnknown, match=r"'Atlantis'.*'000000'") as caught:
            place_of_supply(state="Atlantis", postal_code="000000", country="IN")
        assert caught.value.status == 422
