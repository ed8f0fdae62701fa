from dragoman.pipeline.sentences import sentence_ends, split_sentences, words_of


def test_sentences_are_those_of_the_translators() -> None:
    assert split_sentences("Dr. Who left. Then he came.") == ["Dr. Who left.", "Then he came."]
    assert sentence_ends("All. Of it.") == [4]


def test_words() -> None:
    assert words_of("Don’t STOP, me-now!") == ["don't", "stop", "me", "now"]
