"""Where a clause may be cut: the small words of a language, before which a new clause or phrase begins.

A cut before a conjunction separates clauses. Where there is none, one before a preposition, an article or a pronoun
leaves whole phrases on both sides ("the noisiest authorities | insisted | on its being received | for good"), which
a translator that sees only one side of it can still put into the right form. The lists hold what is frequent and
nearly always opens a phrase; languages without a list are only cut where they must be.
"""

CONJUNCTIONS = {
    code: frozenset(words.split())
    for code, words in (
        ("en", "and but or so because although while whereas which who that when where if then unless until"),
        ("es", "y e pero o u porque aunque mientras que quien cuando donde si entonces sino como"),
        ("fr", "et mais ou donc car parce quoique tandis qui que quand où si lorsque puisque alors"),
        ("de", "und aber oder denn weil obwohl während dass wenn als ob damit sondern"),
        ("pt", "e mas ou porque embora enquanto que quem quando onde se então pois como"),
        ("it", "e ed ma o perché sebbene mentre che chi quando dove se allora quindi"),
    )
}
"""Words before which a clause may end."""

OPENERS = {
    code: frozenset(words.split())
    for code, words in {
        "en": """
            the a an this these those my your his its our their some any every each no all both of to in on at
            by for from with without into onto over under about after before against between through during
            since towards upon within than as like i you he she it we they there not
            """,
        "es": """
            el la los las un una unos unas este esta estos estas mi mis tu tus su sus nuestro nuestra cada todo
            toda de del a al en con sin por para sobre bajo tras desde hasta hacia entre contra durante según
            ante no
            """,
        "fr": """
            le la les un une des du ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre vos leur
            leurs de à au aux en dans sur sous avec sans pour par chez vers entre contre pendant depuis avant
            après je tu il elle nous vous ils elles on
            """,
        "de": """
            der die das den dem des ein eine einen einem einer eines dieser diese dieses mein meine sein seine
            ihr ihre unser unsere jeder jede jedes kein keine in im an am auf aus bei beim mit nach von vom zu
            zum zur für durch gegen ohne um über unter vor zwischen seit ich du er sie es wir
            """,
        "pt": """
            o a os as um uma uns umas este esta estes estas meu minha seu sua seus suas nosso nossa cada todo
            toda de do da dos das em no na nos nas com sem por pelo pela para sobre sob até desde entre contra
            durante não
            """,
        "it": """
            il lo la i gli le un uno una questo questa questi queste mio mia suo sua nostro nostra ogni di del
            dello della dei degli delle a al allo alla ai in nel nella con senza per su sul sulla da dal dalla
            tra fra contro durante dopo prima non
            """,
    }.items()
}
"""Words with which a phrase begins, besides conjunctions."""


def joins(word: str, language: str) -> bool:
    """Whether `word` is a conjunction."""
    return _bare(word) in CONJUNCTIONS.get(language, frozenset())


def opens(word: str, language: str) -> bool:
    """Whether a clause or a phrase begins with `word`."""
    bare = _bare(word)
    return bare in CONJUNCTIONS.get(language, frozenset()) or bare in OPENERS.get(language, frozenset())


def _bare(word: str) -> str:
    return word.lower().strip("\"'“«¿¡(.,;:!?)»”")
