"""What helps a fan who stares at an empty page: for each occasion beginnings to go on from, and one story told well."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .choices import Occasion

Text = str | Promise


class Example(NamedTuple):
    """Beginnings of sentences, and an example to read."""

    beginnings: tuple[Text, ...]
    story: Text


EXAMPLES: dict[str, Example] = {
    Occasion.BIRTHDAY: Example(
        (_("We met when …"), _("The thing everyone knows about you is …"), _("This year you …")),
        _("She turns sixty on Friday. She taught half the village to swim, and she still cannot pass a bakery."),
    ),
    Occasion.WEDDING: Example(
        (_("The two of you met …"), _("We knew it was serious when …"), _("What we wish you is …")),
        _("They met in the queue for a ferry that never came. Ten years later they bought a boat that leaks."),
    ),
    Occasion.ANNIVERSARY: Example(
        (_("It began with …"), _("The best day of all was …"), _("After all these years you still …")),
        _("Thirty years ago he missed the last train and stayed for soup. He has been home for supper ever since."),
    ),
    Occasion.GRADUATION: Example(
        (_("You always wanted to …"), _("The hardest part was …"), _("Next you are going to …")),
        _("Four years, two part-time jobs, one exam with a fever. Today the first nurse of our family graduates."),
    ),
    Occasion.RETIREMENT: Example(
        (_("You started on …"), _("What we will tell the new ones is …"), _("Now you finally have time for …")),
        _("For thirty-one years she opened the school library at seven. She knew what every child should read."),
    ),
    Occasion.NEW_BABY: Example(
        (_("You arrived on …"), _("Your name comes from …"), _("Waiting for you are …")),
        _("She came three weeks early, in the middle of the storm. Her brother gave her his second-best bear."),
    ),
    Occasion.THANK_YOU: Example(
        (_("I will never forget how you …"), _("Because of you …"), _("What I never told you is …")),
        _("When our cellar was flooded he came with two pumps and stayed the night. He would not even take a coffee."),
    ),
    Occasion.SORRY: Example(
        (_("I am sorry that …"), _("I should have …"), _("What I miss most is …")),
        _("I forgot the one evening that mattered to you. I have thought of it every day, and I want to make it good."),
    ),
    Occasion.CONDOLENCE: Example(
        (_("What we remember is …"), _("With us there was always …"), _("What stays is …")),
        _("He fixed every bicycle in our street and asked for nothing. On summer evenings we still hear him whistle."),
    ),
    Occasion.PET: Example(
        (_("You came to us when …"), _("Your favourite place is …"), _("Nobody else would …")),
        _("He was the smallest in the shelter and snored the loudest. Now the whole sofa is his."),
    ),
    Occasion.TEAM: Example(
        (_("This year we …"), _("The moment we nearly gave up was …"), _("Together we …")),
        _("Nobody thought we would finish before winter. Then the cellar flooded, and you all came on a Sunday."),
    ),
    Occasion.JUST_BECAUSE: Example(
        (_("I thought of you because …"), _("Do you remember when …"), _("What I like most about you is …")),
        _("I found our ticket from the lake. You lost a shoe, I lost my voice: the best day of that summer."),
    ),
}
