import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.server.protocols.sarvam.languages import CODES
from dragoman.server.protocols.sarvam.romanise import romanise


@pytest.mark.parametrize(
    ("language", "text", "latin"),
    [
        ("hi", "मेरा फ़ोन नंबर है 9840950950, ज़रूर आना।", "mera fon nambar hai 9840950950, zarur ana."),
        (
            "hi",
            "करता समझना अपना कमल मित्र नमस्ते सरकार हिन्दुस्तान",
            "karta samajhna apna kamal mitra namaste sarkar hindustan",
        ),
        ("hi", "ज्ञान कृष्ण चाय छत हँसी मैं न १२", "gyan krishna chay chhat hansi main na 12"),
        ("mr", "माझे नाव रमेश आहे", "majhe nav ramesh ahe"),
        ("ne", "मेरो नाम", "mero nama"),
        ("sa", "सत्यमेव जयते", "satyameva jayate"),
        ("bn", "আমার নাম সুমন, আমি কলকাতায় থাকি", "amar nam suman, ami kalkatay thaki"),
        ("gu", "મારું નામ રમેશ છે", "marun nam ramesh chhe"),
        ("pa", "ਮੇਰਾ ਨਾਮ ਸਿੰਘ ਹੈ", "mera nam singha hai"),
        ("or", "ମୋର ନାମ ଓଡ଼ିଆ", "mora nama oria"),
        ("ta", "என் பெயர் ரமேஷ், சென்னையில் தமிழ்", "en peyar ramesh, chennaiyil tamizh"),
        ("te", "నా పేరు రమేష్", "na peru ramesh"),
        ("kn", "ನನ್ನ ಹೆಸರು ರಮೇಶ್ ಮೈಸೂರು", "nanna hesaru ramesh maisuru"),
        ("ml", "എന്റെ പേര് രമേശ് അവൻ", "enre per ramesh avan"),
        ("as", "মোৰ নাম", "mor nam"),
        ("sat", "ᱤᱧᱟᱜ ᱧᱩᱛᱩᱢ", "inag nutum"),
        ("mni", "ꯑꯩꯒꯤ", "aigi"),
        ("en", "Hello “world”, it’s a café", "Hello “world”, it’s a café"),
        ("hi", "मेरा phone number है", "mera phone number hai"),
    ],
)
def test_words_as_people_write_them(language: str, text: str, latin: str) -> None:
    assert romanise(text, language) == latin


def test_scripts_without_vowels_are_latin_at_least() -> None:
    assert romanise("میرا نام احمد ہے", "ur") == "myr nm hmd he"


letters = st.characters(min_codepoint=0x0900, max_codepoint=0x0D7F) | st.characters(
    min_codepoint=0x1C50, max_codepoint=0x1C7F
)


@given(st.text(letters | st.sampled_from(" ,a।"), max_size=60), st.sampled_from(sorted(set(CODES.values()))))
def test_nothing_of_a_native_script_is_left(text: str, language: str) -> None:
    latin = romanise(text, language)
    assert all(ord(letter) < 0x250 for letter in latin), latin


@given(st.text(max_size=40), st.sampled_from(["hi", "en", "xx"]))
def test_any_text_will_do(text: str, language: str) -> None:
    assert romanise(romanise(text, language), language) == romanise(text, language)
