"""Small closed word lists of English: verbs, adverbs, kin, function words. Enough to know when a rewriting is safe."""

from __future__ import annotations

import re


def word_set(words: str) -> frozenset[str]:
    """The words of a text as a set: lists of hundreds of words stay readable as text."""
    return frozenset(words.split())


VERBS = word_set("""
    accept add admire adopt adore agree allow amaze annoy answer appear argue arrive ask attend avoid bake bark
    battle beat become beg begin believe belong bite blow boil borrow bounce brag break breathe bring build burn
    buy call camp care carry catch celebrate challenge change chase chat cheat cheer chew choose clap clean
    climb close coach collect come comfort compete complain compose conquer cook cost count cover crash create
    cross cry cuddle cut cycle dance dare deal decide decorate defend deliver demand deserve design dig do drag
    draw dream dress drink drive drop earn eat embarrass encourage end enjoy enter escape expect explain explore
    face fall farm fear feed feel fight fill find finish fish fit fix float fly fold follow forget forgive found
    freeze fry gather get giggle give go grab graduate greet grill grow growl grumble guard guess guide hang
    happen hate have heal hear help hide hike hit hold hope host hug hum hunt hurt ignore imagine improve insist
    inspire interrupt introduce invent invite jog join joke juggle jump keep kick kiss knit knock know land
    laugh launch lead lean learn leave lend let lick lie lift light like listen live look lose love make manage
    march marry master matter mean meet melt mend mention miss mix moan mother move mow mutter need notice nurse
    obey offer open order organise organize own pack paint park pass pat pay perform pick plan plant play point
    polish post pour practise practice praise pray prefer prepare pretend promise protect prove publish pull
    purr push put quit race raise reach read realise realize receive recite refuse remain remember remind repair
    repeat reply rescue rest retire return ride ring rise roar roll row rule run rush sail save say scare score
    scream search see seem sell send serve set sew shake share shine shoot shop shout show sing sit skate ski
    skip sleep slip smell smile smoke sneak sneeze snore solve sound speak spend spill spoil stand stare start
    stay steal stop study succeed suffer suggest support surf surprise survive swear sweep swim swing switch
    take talk taste teach tease tell tend text thank think throw tidy touch tour train travel treat trust try
    tuck turn type understand use visit volunteer wag wait wake walk wander want wash watch water wave wear
    welcome whisper whistle win wink wish wonder work worry wrap wrestle write yell beam breed chair code debate
    donate doze drum edit fail fetch foster garden govern hatch invest juggle kayak kneel lecture mentor mind
    nag navigate outlive outrun paddle photograph pilot program pull ramble reassure rebuild renovate research
    restore ruin scold sew ship shovel sketch snuggle sob squeeze steer stitch stumble swap tackle thrive tinker
    toast trot tweet vacuum whip yodel zoom lock
    """)
"""Base forms of common verbs."""

NOUNISH = word_set("""
    answer battle blow break burn call camp care challenge change chat cheer climb cook cost count cover cross
    cuddle cut cycle dance dare deal demand design draw dream dress drink drive drop end escape face fall farm
    fear fight fish fit fix float fly fold grill guard guess guide hike hit hope host hug hunt hurt joke jump
    kick kiss knock land laugh lie lift light  look love march master matter mean move need notice nurse offer
    order pack paint park pass pat pick plan plant play point post promise pull race raise reach repair repeat
    rest return ride ring roll row rule run rush sail scare score scream shake share shine shoot shop shout show
    skate ski skip slip smell smile smoke start stop study support surf surprise swing switch taste tease text
    thank touch tour train travel treat trust try turn type use visit volunteer wait walk wash  water wave
    whisper whistle win wink wish worry wrap
    """)
"""Verbs whose -s form is as often a plural noun ("walks", "hugs")."""

PLAINLY_VERBS = word_set("love like live work need look laugh smile talk sleep dream want play drink cook sing")
"""Nounish verbs that, opening a note, are meant as verbs: "lives in Rome", "loves dogs"."""

PAST = word_set("""
    ate became began bit blew broke came chose did drank drew drove fell flew forgot forgave froze gave got grew
    had hid knew rang rode rose ran sang sank saw shook showed spoke stole stood swam swore threw told took tore
    understood went woke won wore wrote
    """)
"""Irregular past forms that are nothing else."""

PAST_OR_PARTICIPLE = word_set("""
    bought brought built caught dealt dug fed felt fought found held hung heard kept laid led left lent lit lost
    made meant met paid said sat sent shot slept sold spent swept swung taught thought wept
    """)
"""Irregular past forms that are participles too ("built a shed", but "built like a tank")."""

PARTICIPLES = word_set("""
    addicted based born called dedicated devoted educated engaged gifted known loved married named obsessed
    raised retired scared stuck talented trained worried
    """)
"""-ed words that, without a subject, mostly describe ("obsessed with tea")."""

MODALS = word_set("""
    can can't cannot could couldn't will won't would wouldn't should shouldn't must may might did didn't had
    hadn't used
    """)
BE_HAVE = {
    "is": "are",
    "was": "were",
    "has": "have",
    "does": "do",
    "isn't": "aren't",
    "wasn't": "weren't",
    "hasn't": "haven't",
    "doesn't": "don't",
    "ain't": "ain't",
}
"""Third person singular → second person, where it is irregular."""

ADVERBS = word_set("""
    absolutely actually almost already also always barely clearly constantly even ever finally genuinely hardly
    just literally more never not now nearly often once only probably proudly quietly rarely really secretly
    seldom simply slowly somehow sometimes soon still suddenly then though totally truly twice usually
    """)
DETERMINERS = word_set("""
    a an the this that these those my your his her its our their every each some any no all both another many
    much more most too so enough one two three four five six seven eight nine ten half
    """)
PREPOSITIONS = word_set("""
    about above across after against along among around as at before behind below beside between beyond by
    despite down during except for from in inside into like near of off on onto out outside over past since
    through throughout till to toward towards under until up upon via with within without
    """)
CONJUNCTIONS = word_set("and but or nor so because when while if that than who which where since until though")
PRONOUNS = word_set("i me you he him she her it we us they them everyone everybody someone somebody nobody myself")
FIRST_PERSON = word_set("i i'm i've i'd i'll me my mine myself we we're we've we'd we'll us our ours ourselves let's")
TIMES = word_set("today tonight tomorrow yesterday again now then there here back home away together")
NOT_VERBS_IN_S = word_set("""
    always perhaps sometimes besides nowadays afterwards towards this us its his hers yours ours theirs yes less
    as thus across unless various previous
    """)

SHE_KIN = word_set("""
    mother mum mom mam mama mummy mommy grandmother grandma gran granny nana nan aunt auntie sister daughter
    wife girlfriend niece granddaughter stepmother stepmum stepmom godmother fiancee fiancée bride
    """)
HE_KIN = word_set("""
    father dad daddy papa pop grandfather grandpa grandad granddad gramps uncle brother son husband boyfriend
    nephew grandson stepfather stepdad godfather fiancé groom
    """)
CALLED_KIN = word_set("""
    mother mum mom mam mama mummy mommy grandmother grandma gran granny nana nan auntie father dad daddy papa pop
    grandfather grandpa grandad granddad gramps
    """)
"""Kin that are spoken of by that word alone, as by a name: "Grandpa and Rose"."""
TITLES = word_set("""
    oma opa abuela abuelo nonna nonno tante onkel tía tío captain doctor dr professor prof sir lady miss mrs mr ms
    coach nurse chef baby little dear young old big saint auntie uncle aunt
    """)
"""What may stand before a name and is part of it: "Oma Trudi"."""
ANY_KIN = word_set("""
    friend bestie cousin boss neighbour neighbor colleague coworker partner teacher mentor coach parent child
    kid baby fiance
    """)
PETS = word_set("dog cat puppy kitten pup horse pony rabbit bunny hamster parrot bird tortoise turtle pet fish")
KIN = SHE_KIN | HE_KIN | ANY_KIN
ROLES = word_set("woman man girl boy lady person someone somebody guy kind one mother father")
"""Heads of "a woman who …": pronouns after that "who" belong to it, not to the person spoken to."""

OWNED = (
    KIN
    | PETS
    | word_set("""
    family friends kids children parents sisters brothers cats dogs house home garden kitchen car bike boat job
    work career desk team laugh smile voice hair eyes hands heart soul sense jokes stories story songs cooking
    food coffee tea birthday wedding life love dream dreams favourite favorite first last best own old new
    little big name nickname whole wedding honeymoon students class patients recipe recipes music guitar piano
    garage shed office room bed sofa chair phone keys glasses shoes hat boots town village school college degree
    thesis retirement grandchildren twins son's energy patience courage kindness advice hugs pancakes lasagne
    bread cakes cake
    """)
)
"""Nouns that plainly follow a possessive: "her laugh", "Eileen's cat"."""

COUNTABLE = word_set("""
    cat dog horse pony garden guitar piano violin bike bicycle motorbike motorcycle boat car camera husband wife
    baby kitten puppy van house farm tent tractor telescope rocket spaceship shuttle sister brother daughter son
    book beach mountain mustache moustache hat
    """)
ADJECTIVES = word_set("""
    kind funny stubborn brave generous patient loud clever smart strong gentle loyal honest warm sweet silly
    wise calm fearless creative curious cheerful caring loving thoughtful hilarious messy grumpy shy proud tough
    bold bright quick happy amazing wonderful beautiful great awesome fierce playful sarcastic quirky
    unstoppable humble talented lazy fun tall short late tired hungry quiet witty bossy fair tireless devoted
    dedicated cuddly fluffy greedy sleepy
    """)
VAGUE = word_set("""
    amazing great nice awesome best wonderful special lovely good beautiful thing things stuff everything
    incredible fantastic really very much lot lots person people
    """)
SENSITIVE = re.compile(
    r"\b(die[sd]?|dying|death|dead|pass(ed|es)? away|passed|cancer|chemo\w*|ill|illness|sick|hospital|hospice|"
    r"lost|loss|"
    r"grie\w+|funeral|divorc\w*|accident|war|miscarr\w+|depress\w+|alone|lonely|cr(y|ied|ies|ying)|hurt|surgery|stroke|"
    r"heart attack|dementia|alzheimer\S*|disab\w+|wheelchair|buried|prison|abus\w+|rehab|sober|addict\w*|"
    r"anxi\w+|refugee|"
    r"fled|bankrupt|fired|fire|widow\w*|orphan\w*|miss(es|ed)?|sorry|forg[ai]ve\w*|tears|scar(s|ed)?|fight\w*|fought|"
    r"survived?|survivor|tumou?r|crash\w*)\b",
    re.I,
)
"""Facts no joke or flourish may follow."""

QUIRK = re.compile(
    r"\b(too (much|many|often|late|long|loud\w*|fast)|never|always|hates?|can't|cannot|couldn't|won't|thinks?|"
    r"snores?|late|burns?|"
    r"burnt|loses?|forgets?|obsessed|badly|terribl[ey]|worst|messy|ate|steals?|stole|talks?|refuses?|insists?|"
    r"stubborn|grumpy|"
    r"bossy|lazy|laughs? at|every (single )?(day|morning|night|time)|still|cheats?|naps?|sleeps?)\b",
    re.I,
)
"""Facts one may smile at."""

VERB_NAMES = word_set("""
    rose will drew mark grant hope pat chase may skip rob bill grace dawn faith joy sue wade rich chuck bob jack
    nick ray gene guy art basil iris ivy lily olive pearl ruby violet daisy summer autumn april june august max
    """)
"""First names that are words too."""

SHE_NAMES = word_set("""
    abigail ada agnes alice amanda amelia amy angela anita ann anna anne annie barbara beatrice becky bella beth
    betty brenda bridget carol caroline catherine charlotte chloe christina christine claire clara clare daisy
    daphne deborah diana diane doris dorothy edith edna eileen elaine eleanor elizabeth ella ellen elsie emily
    emma erica esther eva evelyn fiona flora florence frances gloria grace greta hannah harriet heather helen
    ida irene iris isabel isabella jane janet jean jennifer jenny jessica jill joan joanna josephine joyce judith
    judy julia julie karen kate katherine kathleen katie laura lauren leah lena lily linda lisa louise lucy lydia
    mabel maggie margaret maria marie martha mary maya megan melissa mia michelle mildred millie molly monica
    nancy naomi natalie nicole nina nora olivia pamela patricia paula peggy penelope phyllis polly priya rachel
    rebecca rita rosa rosalind rose rosie ruby ruth sally samantha sandra sarah sharon sheila sofia sonia sophia
    sophie stella susan susanna suzanne sylvia tara teresa theresa tina ursula valerie vera victoria violet
    virginia vivian wendy winifred yvonne zoe zoë
    """)
HE_NAMES = word_set("""
    aaron adam alan albert alfred andrew anthony arthur barry ben benjamin bernard bob brian bruce carl charles
    colin craig daniel dave david dennis derek diego donald douglas duncan ed eddie edgar edward eric ernest ethan
    felix frank fred frederick gary geoff geoffrey george gerald gordon graham greg gregory harold harry henry
    howard hugh hugo ian isaac ivan jack jacob james jason jeff jeremy jim jimmy joe john johnny jonathan joseph
    josh joshua juan keith ken kenneth kevin larry lars leo leon leonard liam louis lucas luke malcolm marcus
    martin matt matthew max michael mike neil nick nicholas nigel noah norman oliver oscar otto owen patrick paul
    pedro peter phil philip ralph raymond richard robert roger roland ron ronald roy rupert samuel scott sean
    simon stanley stephen steve steven stuart ted terence theo theodore thomas tim timothy toby tom tommy victor
    vincent walter william winston
    """)
"""First names that leave little doubt which pronoun the notes mean by the person."""

INITIALISMS = word_set("""
    NASA USA UK EU NHS TV DJ BBQ PhD MBA CEO LA NYC RAF BBC FBI DIY ER GP UN NATO ESA ISS MIT UCLA NBA NFL VIP
    USS HMS AC DVD CD RV SUV 3D
    """)
PROPER = word_set("""
    january february march april june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday christmas easter london paris rome dublin berlin madrid york tokyo sydney
    boston chicago texas california florida ohio alaska america england ireland scotland wales france italy
    bristol manchester leeds liverpool glasgow edinburgh cardiff belfast birmingham newcastle sheffield brighton
    oxford cambridge seattle denver miami dallas houston atlanta philadelphia detroit portland brooklyn montreal
    toronto vancouver melbourne vienna amsterdam brussels prague lisbon athens moscow mumbai delhi lagos nairobi
    spain germany japan canada australia india mexico africa europe english irish french italian spanish german
    """) - {"march"}
"""Words that keep a capital when a shouted note is brought down (the month of March is a verb too often)."""


def base_form(word: str) -> str:
    """The base of a third person singular verb in lower case: "flies" → "fly", "teaches" → "teach"."""
    if word in BE_HAVE:
        return BE_HAVE[word]
    if word.endswith("ies"):
        return word[:-1] if len(word) <= 4 else word[:-3] + "y"  # dies, lies, ties
    if word.endswith("es"):
        stem = word[:-2]
        if stem in VERBS and word[:-1] not in VERBS:
            return stem
        if word[:-1] in VERBS:
            return word[:-1]
        if stem.endswith(("ss", "sh", "ch", "x", "zz", "o")) and stem != "ach":
            return stem
    return word[:-1]


def is_third_person(word: str) -> bool:
    """Whether a lower-case word can be a third person singular verb that this lexicon knows."""
    return word in BE_HAVE or (word.endswith("s") and base_form(word) in VERBS)


def is_past(word: str) -> bool:
    """Whether a lower-case word can be a past tense that this lexicon knows."""
    if word in PAST or word in PAST_OR_PARTICIPLE:
        return True
    if not word.endswith("ed"):
        return False
    stem = word[:-2]
    return bool({stem, stem + "e", stem[:-1], word[:-3] + "y"} & VERBS)


def opens_with_verb(words: list[str]) -> bool:
    """Whether lower-case words without a subject begin with a finite verb: "flew the shuttle", "always drinks tea".

    Errs towards no: a fragment said whole is good speech, a wrong "You" is not.
    """
    rest = list(words)
    while rest and (rest[0] in ADVERBS or (rest[0].endswith("ly") and rest[0] not in {"family", "only"})):
        rest = rest[1:]
    if len(rest) < 2:
        return False
    word, after = rest[0], rest[1]
    if after in {"she", "he", "they", "i", "we", "you", "it"} and (word in BE_HAVE or word in MODALS):
        return False  # a question: "does she ever stop"
    if word in BE_HAVE or (word in MODALS and word not in {"may", "might", "must", "can", "will", "used"}):
        return True
    if word in {"can", "will", "must", "used"}:
        return after not in {"of", "and", "car", "cars"}
    if word == "born":
        return True
    if word in PAST:
        return True
    if word in PAST_OR_PARTICIPLE:
        return after not in {"of", "by", "like", "in", "from", "and", "up"} or word in {"met", "left", "sat", "slept"}
    if word.endswith("ed") and len(word) > 4 and (is_past(word) or after in DETERMINERS - {"and"}):
        if word in PARTICIPLES:
            return word in {"raised", "called", "loved", "married", "trained"} and (
                after in DETERMINERS | {"me", "us", "him", "them"}
            )
        return after in DETERMINERS | PREPOSITIONS | PRONOUNS | ADVERBS | TIMES or after.endswith("s") or len(rest) > 2
    if is_third_person(word):
        base = base_form(word)
        if base not in NOUNISH:
            return True
        if base in PLAINLY_VERBS:
            return after not in {"and", "of", "or"}
        return after not in PREPOSITIONS and after not in CONJUNCTIONS
    return False
