"""Openings, endings and everything between that is not the fan's: a closed list by occasion and tone, true of any film.

Nothing here claims a fact about the person. `{name}` is the person, `{sender}` how the fan signs, `{x}` their words.
"""

from __future__ import annotations

import re

Lines = tuple[str, ...]

TONES = ("warm", "funny", "heartfelt", "epic")

GREETINGS: dict[str, dict[str, Lines]] = {
    "birthday": {
        "warm": ("Happy birthday, {name}.", "{name}, happy birthday.", "It's your day, {name}. Happy birthday."),
        "funny": ("Happy birthday, {name}.", "{name}! Another year, another cake.",
                  "Attention, everyone: it's {name}'s birthday."),
        "heartfelt": ("Happy birthday, dear {name}.", "{name}, today is for you.", "Today we celebrate you, {name}."),
        "epic": ("{name}. Today is your day.", "Today belongs to one name: {name}.",
                 "Let the candles burn. {name}, it's your day."),
    },
    "wedding": {
        "warm": ("Congratulations on your wedding, {name}.", "{name}, here's to your wedding day.",
                 "To {name}, with love."),
        "funny": ("{name}! So you're really doing this.", "Congratulations, {name}. No refunds.",
                  "{name}, it's official: there is cake."),
        "heartfelt": ("{name}, this is for your wedding day.", "With all our hearts, {name}: congratulations.",
                      "To love, {name}, and to you."),
        "epic": ("{name}. A wedding for the ages.", "Ring the bells. {name}, this is your day.",
                 "One story, from this day on: {name}."),
    },
    "anniversary": {
        "warm": ("Happy anniversary, {name}.", "{name}, happy anniversary.", "Here's to another year, {name}."),
        "funny": ("Happy anniversary, {name}. Still here!", "{name}! Nobody has run away yet.",
                  "Happy anniversary, {name}."),
        "heartfelt": ("Happy anniversary, dear {name}.", "{name}, love is made of days like these.",
                      "To love that lasts, {name}."),
        "epic": ("{name}. Time tried. Love won.", "Year after year, {name}.",
                 "Happy anniversary, {name}. What a journey."),
    },
    "graduation": {
        "warm": ("Congratulations, {name}. You did it.", "{name}, you did it.", "Well done indeed, {name}."),
        "funny": ("{name}! They actually let you graduate.", "Congratulations, {name}. No more homework.",
                  "{name}, hats off. Literally."),
        "heartfelt": ("{name}, what a day this is.", "You did it, {name}.", "Congratulations, dear {name}."),
        "epic": ("{name}. You have made it.", "The hat is in the air, {name}.", "Remember this day, {name}."),
    },
    "retirement": {
        "warm": ("Happy retirement, {name}.", "{name}, the day has come.",
                 "Here's to you, {name}, and to free Mondays."),
        "funny": ("{name}! Turn off that alarm clock.", "Happy retirement, {name}. Every day is Saturday.",
                  "Breaking news: {name} is retiring."),
        "heartfelt": ("Happy retirement, dear {name}.", "{name}, thank you for all of it.",
                      "A long road, {name}, and well walked."),
        "epic": ("{name}. The last shift is over.", "An era ends. {name}, this is for you.",
                 "Happy retirement, {name}. What a run."),
    },
    "new_baby": {
        "warm": ("A new baby! {name}, this is for you.", "{name}, what lovely news.",
                 "Congratulations to you, {name}."),
        "funny": ("{name}! Sleep was overrated anyway.", "Congratulations, {name}. Coffee is on its way.",
                  "{name}, there's a new boss at home."),
        "heartfelt": ("{name}, a new little life.", "There is someone new to love, {name}.",
                      "{name}, love just got bigger."),
        "epic": ("{name}. A new story begins.", "The world just got bigger, {name}.",
                 "Make way. {name}, this is day one."),
    },
    "thank_you": {
        "warm": ("Thank you, {name}.", "{name}, thank you.", "This is a thank-you, {name}."),
        "funny": ("{name}! You are being thanked. Sit still.", "Thank you, {name}. There, I said it.",
                  "{name}, this is your official thank-you."),
        "heartfelt": ("{name}, thank you. Truly.", "From the bottom of the heart, {name}: thank you.",
                      "Two words, {name}: thank you."),
        "epic": ("{name}. Two words for you: thank you.", "Not every hero wears a cape, {name}.",
                 "Let it be heard: thank you, {name}."),
    },
    "sorry": {
        "warm": ("{name}, this is an apology.", "{name}, someone wants to say sorry.",
                 "This is a sorry, {name}, and it is meant."),
        "funny": ("{name}, somebody messed up.", "{name}, this is an apology. With pictures.",
                  "So, {name}. About that."),
        "heartfelt": ("{name}, please hear this.", "{name}, this is an apology, from the heart.",
                      "Sorry is a small word, {name}."),
        "epic": ("{name}. It takes courage to say sorry.", "{name}, this is an apology.", "One word, {name}: sorry."),
    },
    "pet": {
        "warm": ("{name}, this film is all about you.", "This one is for {name}.", "Hello there, {name}."),
        "funny": ("{name}! Sit. Stay. Watch.", "Attention, {name}: this film contains no treats.",
                  "{name}, we need to talk."),
        "heartfelt": ("{name}, this one is for you.", "For {name}, with love.",
                      "Some love comes on paws or wings, {name}."),
        "epic": ("{name}. A name to remember.", "There are animals. And then there is {name}.", "All rise for {name}."),
    },
    "team": {
        "warm": ("{name}, this film is for all of you.", "Hello there, {name}.", "This one goes out to {name}."),
        "funny": ("{name}! Close your laptops.", "{name}, this meeting could not have been an email.",
                  "Hello, {name}. Nobody is muted."),
        "heartfelt": ("{name}, this is for every one of you.", "To {name}, with thanks.",
                      "{name}, look what you are together."),
        "epic": ("{name}. All of you, together.", "One team. One name: {name}.", "Stand tall, {name}."),
    },
    "just_because": {
        "warm": ("{name}, this one is for you.", "No reason needed, {name}.", "Hello, {name}. Just because."),
        "funny": ("{name}! It's not even your birthday.", "{name}, no occasion. Just pictures.",
                  "Surprise, {name}. For no reason at all."),
        "heartfelt": ("{name}, this is just because.", "No special day, {name}. Just you.",
                      "Dear {name}, this is for you."),
        "epic": ("{name}. This is your film.", "No occasion, {name}. Just greatness.",
                 "Today, for no reason at all: {name}."),
    },
}  # fmt: skip
"""How a film begins, by occasion and tone."""

ENDINGS: dict[str, dict[str, Lines]] = {
    "birthday": {
        "warm": ("Happy birthday, {name}. Many happy returns.", "Have a wonderful day, {name}.",
                 "Blow out the candles, {name}."),
        "funny": ("Happy birthday, {name}. Now go and eat cake.", "It's cake time, {name}.",
                  "Make a wish, {name}. A sensible one."),
        "heartfelt": ("Happy birthday, {name}. With all our love.", "You are loved, {name}.", "Make a wish, {name}."),
        "epic": ("Happy birthday, {name}. The world is yours.", "Onward and upward, {name}.",
                 "Here's to you, {name}. Now and always."),
    },
    "wedding": {
        "warm": ("All our love, {name}.", "Here's to a long and happy marriage, {name}.", "Be happy together, {name}."),
        "funny": ("Good luck, {name}. You'll need snacks.", "Now kiss and cut the cake, {name}.",
                  "Cheers to you, {name}."),
        "heartfelt": ("May love carry you, {name}.", "All the love in the world, {name}.",
                      "Hold on to each other, {name}."),
        "epic": ("Forever starts now, {name}.", "To love, and to {name}.", "Let the bells ring for {name}."),
    },
    "anniversary": {
        "warm": ("Happy anniversary, {name}.", "Here's to many more, {name}.", "Happy anniversary, {name}, with love."),
        "funny": ("Same time next year, {name}?", "Happy anniversary, {name}. Keep up the good work.",
                  "Cheers to you, {name}."),
        "heartfelt": ("Happy anniversary, {name}. With all our love.", "Here's to love, {name}.",
                      "To all the years ahead, {name}."),
        "epic": ("The story goes on, {name}.", "Happy anniversary, {name}. Long may it last.",
                 "Here's to forever, {name}."),
    },
    "graduation": {
        "warm": ("Congratulations, {name}. Enjoy every minute.", "Well done indeed, {name}.",
                 "We are proud of you, {name}."),
        "funny": ("Now get a job, {name}.", "Congratulations, {name}. You may now sleep in.",
                  "Well done indeed, {name}."),
        "heartfelt": ("We are so proud of you, {name}.", "Go gently and go far, {name}.", "We believe in you, {name}."),
        "epic": ("Go and change the world, {name}.", "The world is waiting, {name}.", "Onward and upward, {name}."),
    },
    "retirement": {
        "warm": ("Enjoy every minute, {name}.", "Happy retirement, {name}. You've earned it.", "All the best, {name}."),
        "funny": ("Now put your feet up, {name}.", "See you never, alarm clock. Goodbye, {name}.",
                  "Happy retirement, {name}."),
        "heartfelt": ("Thank you, {name}, for everything.", "You will be missed, {name}.",
                      "Rest well, {name}. You've earned it."),
        "epic": ("The next adventure is yours, {name}.", "Take a bow, {name}.", "Well done, {name}. Well done."),
    },
    "new_baby": {
        "warm": ("Welcome, little one. Congratulations, {name}.", "All our love, {name}.",
                 "So much love to you, {name}."),
        "funny": ("Sleep when you can, {name}.", "Good luck, {name}. It's only the first eighteen years.",
                  "Congratulations to you, {name}."),
        "heartfelt": ("With all our love, {name}.", "Hold on tight to these days, {name}.", "What a gift, {name}."),
        "epic": ("The adventure begins, {name}.", "Welcome to the greatest story, {name}.",
                 "Onward and upward, {name}."),
    },
    "thank_you": {
        "warm": ("Thank you, {name}.", "Thank you, {name}, for everything.", "With all our thanks, {name}."),
        "funny": ("Thanks, {name}. You may sit back down.", "Thank you, {name}. No, really.",
                  "We owe you one, {name}."),
        "heartfelt": ("Thank you, {name}. For all of it.", "It will not be forgotten, {name}.",
                      "Thank you, {name}. With all our hearts."),
        "epic": ("Thank you, {name}. It echoes.", "Stand up and be thanked, {name}.",
                 "For all of it, {name}: thank you."),
    },
    "sorry": {
        "warm": ("I hope you can hear it, {name}.", "Sorry, {name}. It is meant.", "That is all, {name}. Sorry."),
        "funny": ("Sorry, {name}. Still friends?", "Please say something, {name}.",
                  "Forgiven, {name}? Take your time."),
        "heartfelt": ("Sorry, {name}. With a whole heart.", "There is no rush to answer, {name}.",
                      "Sorry, {name}. Truly."),
        "epic": ("Sorry, {name}. It had to be said.", "That is the truth, {name}.",
                 "Sorry, {name}. Every word is meant."),
    },
    "pet": {
        "warm": ("Good, good {name}.", "That's you, {name}.", "Here's to you, {name}."),
        "funny": ("Treats all round, {name}.", "You may go back to sleep, {name}.", "No treats were harmed, {name}."),
        "heartfelt": ("You are loved, {name}.", "All the love in the house, {name}.", "Here's to you, {name}."),
        "epic": ("Long live {name}.", "Legends have names. Yours is {name}.", "All hail {name}."),
    },
    "team": {
        "warm": ("Thank you, {name}. All of you.", "Here's to you, {name}.", "Well done indeed, {name}."),
        "funny": ("Back to work, {name}.", "Meeting over, {name}. Well done.", "Thanks, {name}. Somebody order pizza."),
        "heartfelt": ("Thank you, {name}. Every one of you.", "You matter, {name}. All of you.",
                      "With thanks to all of you, {name}."),
        "epic": ("Onward and upward, {name}.", "Together, {name}. Always together.",
                 "There is nothing you can't do, {name}."),
    },
    "just_because": {
        "warm": ("Have a lovely day, {name}.", "Here's to you, {name}.", "Just so you know, {name}."),
        "funny": ("As you were, {name}.", "That's it, {name}. You can go.", "Do carry on, {name}."),
        "heartfelt": ("You are loved, {name}.", "Just so you know, {name}: you matter.",
                      "Keep this one close, {name}."),
        "epic": ("Here's to you, {name}.", "Onward and upward, {name}.", "Remember who you are, {name}."),
    },
}  # fmt: skip
"""How a film ends, by occasion and tone."""

MOURNING: dict[str, dict[str, Lines]] = {
    "you": {
        "greetings": ("{name}, we are so sorry for your loss.", "Dear {name}, this is for you.",
                      "{name}, we are thinking of you."),
        "endings": ("We are with you, {name}.", "You are not alone, {name}.", "With all our love, {name}."),
        "leads": ("There are no perfect words.", "No words are big enough, so here are a few small ones.",
                  "There are no perfect words for this, so here are some gentle ones."),
        "closers": ("Take all the time you need.", "Be gentle with yourself.", "There is no right way to do this."),
    },
    "about": {
        "greetings": ("This is for {name}, with love.", "For {name}, this little film.",
                      "For {name}, a few quiet words."),
        "endings": ("With love, always, for {name}.", "With all our love, for {name}.",
                    "This was for {name}, with love."),
        "leads": ("There are no perfect words.", "Here are a few words and a few pictures, gently put together.",
                  "There is no hurry here."),
        "closers": ("Love always stays.", "What is loved is never quite gone.", "Love keeps what time takes away."),
    },
}  # fmt: skip
"""Condolences: one voice for every tone, spoken to the bereaved ("you") or about the one who is gone ("about")."""

ABOUT: dict[str, Lines] = {
    "birthday": ("Happy birthday to {name}.", "This film is for {name}, with birthday wishes.",
                 "Many happy returns to {name}."),
    "wedding": ("Congratulations to {name}.", "Here's to {name}, and to love.", "Best wishes to {name}."),
    "anniversary": ("Happy anniversary to {name}.", "Here's to {name}, and to love.", "Best wishes to {name}."),
    "graduation": ("Congratulations to {name}.", "Three cheers for {name}.", "Hats off to {name}."),
    "retirement": ("Happy retirement to {name}.", "Here's to {name}, and to free Mondays.", "Best wishes to {name}."),
    "new_baby": ("Congratulations to {name}.", "All our love to {name}.", "Best wishes to {name}."),
    "thank_you": ("A big thank-you to {name}.", "This film says thank you to {name}.", "With thanks to {name}."),
    "sorry": ("This is an apology to {name}.", "These words are for {name}.", "This is a sorry to {name}."),
    "just_because": ("This film is for {name}.", "Here's to {name}.", "This one is all about {name}."),
}  # fmt: skip
"""How a film that tells of somebody begins and ends, in every tone."""

ABOUT_LEADS: Lines = (
    "Here are a few things worth saying.",
    "These are a few pictures, and the words to go with them.",
    "Here is a small story, told in pictures and in plain words.",
)
ABOUT_CLOSERS: Lines = (
    "Here's to everything still to come.",
    "May the next picture be the best one yet.",
    "And that's only what fits in one little film.",
)

LEADS: dict[str, Lines] = {
    "warm": (
        "This one is for you.",
        "Here are a few things worth saying.",
        "Somebody picked these pictures with you in mind.",
        "Here is a little of your story, in pictures and in plain words.",
        "Get comfortable: somebody made sure that this film is all about you.",
        "Somebody gathered a few pictures and a few words, and all of them are for you.",
    ),
    "funny": (
        "Brace yourself, please.",
        "Somebody has been talking.",
        "Somebody sent me notes, and I read them all.",
        "Somebody sent me photos, notes and, frankly, a lot of evidence.",
        "Please sit down: somebody has been talking about you, and I have the pictures.",
        "I was handed some photos and some very suspicious notes. Let's go through them together.",
    ),
    "heartfelt": (
        "This comes from the heart.",
        "Some things should be said out loud.",
        "These pictures were chosen with care, and so were the words.",
        "Some things are felt for years and hardly ever said. Not today.",
        "There is a time for saying what usually goes unsaid, and it is now.",
        "Somebody looked through the pictures, stopped at these, and thought of you.",
    ),
    "epic": (
        "This is your story.",
        "Every legend begins somewhere.",
        "Some stories are told quietly. Not this one.",
        "Dim the lights: this is your story, and it deserves a big screen.",
        "They say the best stories are true ones. This one is, and it is yours.",
    ),
    "sorry": (
        "Please hear it out.",
        "Some words come late. They still count.",
        "It is not easy to say, so it is said slowly.",
        "Some words should have come sooner, and here they are at last.",
    ),
}
"""What may follow a greeting, short to long, by tone ("sorry" serves every apology)."""

LETTER_LEADS: dict[str, Lines] = {
    "signed": (
        "This is from {sender}.",
        "These words are from {sender}.",
        "{sender} asked me to read you this.",
        "I have a letter here from {sender}, and it is for you.",
        "What you are about to hear comes from {sender}, word by word.",
    ),
    "unsigned": (
        "I have a letter for you.",
        "Someone asked me to read you this.",
        "Someone who cares about you asked me to read you this.",
        "The words are not mine. They come from someone who cares about you.",
    ),
}
"""What follows a greeting where the creator reads the sender's own words."""

CLOSERS: dict[str, Lines] = {
    "warm": (
        "Here's to you.",
        "Here's to everything still to come.",
        "May the next picture be the best one yet.",
        "And that's only what fits in one little film.",
    ),
    "funny": (
        "I rest my case.",
        "Please never change. We have all the pictures.",
        "That's all the evidence we had time for.",
        "The rest of the photos stay in the safe.",
    ),
    "heartfelt": (
        "Thank you for being you.",
        "Keep this one close.",
        "Come back to these pictures whenever you need them.",
        "There is so much more to say than fits in one film.",
    ),
    "epic": (
        "The story goes on.",
        "Roll the credits, but only for now.",
        "And the best scene has not been filmed yet.",
        "And somewhere, the next chapter is already waiting.",
    ),
    "sorry": ("Every word is meant.", "Take all the time you need.", "Whenever you are ready, the door is open."),
}
"""What may come before an ending."""

FILLERS: dict[str, Lines] = {
    "warm": (
        "Look at this one.",
        "Just look at that.",
        "Let's stay here for a second.",
        "Some moments say it better than words.",
        "This one needs no words at all.",
        "And then there is this one.",
    ),
    "funny": (
        "No caption needed.",
        "Exhibit after exhibit.",
        "I'll just leave this here.",
        "Moving swiftly on.",
        "And this one speaks for itself.",
        "Somebody chose this picture on purpose.",
        "Let's all take a moment.",
    ),
    "heartfelt": (
        "Look at this one.",
        "Hold on to this.",
        "Some things are easier to see than to say.",
        "This picture says the rest.",
        "Let this one speak.",
        "There is so much in a single picture.",
    ),
    "epic": (
        "Behold this one.",
        "Look closer. Closer still.",
        "Every picture is a chapter.",
        "This is how a story looks.",
        "Some moments need no narrator.",
        "Hold this frame.",
        "One picture. A thousand words.",
        "Let the picture speak.",
    ),
    "soft": (
        "Some moments stay.",
        "There is no hurry.",
        "Let this one be quiet for a moment.",
        "Pictures keep what words cannot.",
        "Some things need no words.",
        "Look at this one.",
        "A moment, kept.",
        "Let us stay here a little.",
    ),
    "sorry": (
        "Some moments are worth protecting.",
        "Look at this one.",
        "Let's stay here for a second.",
        "Some things matter more than being right.",
        "This picture says it better.",
        "There is more to say than fits in here.",
        "Pictures remember for us.",
        "Some moments stay with us.",
    ),
}
"""Lines for a picture that has no fact of its own: they state nothing about anyone."""

BRIDGES: dict[str, Lines] = {
    "warm": (
        "And there is more where that came from.",
        "Here are a few more things worth saying out loud.",
        "Somebody thought of all this, and wanted you to hear it today.",
        "And that is only the beginning, so stay where you are and get comfortable.",
    ),
    "funny": (
        "Somebody has been talking.",
        "Somebody sent me notes, and I read them all.",
        "And there is more evidence, I am afraid. Please stay seated.",
        "And that was only the first of many, so brace yourself for the rest of it.",
    ),
    "heartfelt": (
        "Some things should be said out loud.",
        "Some things are felt for years and hardly ever said.",
        "There is a time for saying what usually goes unsaid, and it is now.",
        "It may go unsaid on other days, so let it be said on this one, slowly.",
    ),
    "epic": (
        "And that was only the beginning.",
        "Some would have stopped there. This goes on.",
        "And if that were all, it would be enough. It is not all.",
        "Dim the lights, hold your breath and stay, because there is so much more to come.",
    ),
    "soft": (
        "There are no perfect words.",
        "There is no hurry here, and no right way to do this.",
        "There are no perfect words for this, so here are some gentle ones.",
    ),
    "sorry": (
        "It is not easy to say.",
        "Some words come late, and they still count.",
        "It is not easy to say, so it is said slowly, one word after the other.",
    ),
}
"""What leads from the first fact to the others, short to long: it states nothing, and takes the words that are left.
The opening is kept short, because whoever presses play waits seconds for a reason to stay."""

ASIDES: dict[str, dict[str, Lines]] = {
    "warm": {
        "deed": ("That goes in the album.", "That belongs in this film.", "That is worth keeping."),
        "quirk": ("That goes in the album.", "That belongs in this film.", "That is worth keeping."),
        "any": ("That belongs in this film.",),
    },
    "funny": {
        "deed": ("As one does.", "It's all in my notes.", "Noted."),
        "quirk": ("No comment.", "No further questions.", "I'm only reading what it says here."),
        "any": ("Noted.", "It's all in my notes.", "I'm only reading what it says here."),
    },
    "heartfelt": {
        "deed": ("That belongs here.", "That is worth keeping."),
        "quirk": ("That belongs here.", "That is worth keeping."),
        "any": ("That belongs here.",),
    },
    "epic": {
        "deed": ("So it is written.", "Cue the music.", "Let the record show it."),
        "quirk": ("Even legends have habits.", "So it is written."),
        "any": ("So it is written.", "Let the record show it."),
    },
    "soft": {},
    "sorry": {},
}
"""What the creator may add after a light fact, by its kind: true after any fact, and never a judgement of it. Nothing
follows a sad fact or somebody's own words."""

PREFIXES: dict[str, Lines] = {
    "warm": ("And let's not forget:", "It says here:"),
    "funny": ("For the record,", "According to my notes,", "I am told that"),
    "heartfelt": ("And let it be said:",),
    "epic": ("Let the record show:", "And the story says:"),
    "soft": (),
    "sorry": (),
}
"""What may stand before a fact that starts with "you"."""

ITEM_FRAMES: dict[str, dict[str, Lines]] = {
    "warm": {
        "only": ("I was given just one word about you: {x}.", "One word came with your pictures: {x}."),
        "first": ("Let's start with {x}.", "First of all: {x}."),
        "next": ("Next up: {x}.", "Also on the list: {x}.", "And then: {x}.", "Not to forget: {x}."),
        "last": ("And, of course, {x}.", "And last but not least: {x}."),
    },
    "funny": {
        "only": ("My notes about you are exactly one word long: {x}.", "I was given one clue about you: {x}."),
        "first": ("Exhibit A: {x}.",),
        "next": ("Exhibit B: {x}.", "Exhibit C: {x}.", "Exhibit D: {x}.", "Exhibit E: {x}.", "Exhibit F: {x}."),
        "last": ("And, for the jury: {x}.", "And my personal favourite: {x}."),
    },
    "epic": {
        "only": ("One word says it all: {x}.", "Your story has a one-word title: {x}."),
        "first": ("Chapter one: {x}.",),
        "next": (
            "Chapter two: {x}.",
            "Chapter three: {x}.",
            "Chapter four: {x}.",
            "Chapter five: {x}.",
            "Chapter six: {x}.",
        ),
        "last": ("And the final chapter: {x}.",),
    },
    "soft": {
        "only": ("We remember this: {x}.",),
        "first": ("We remember this: {x}.",),
        "next": ("And this: {x}.", "And then: {x}.", "And always: {x}."),
        "last": ("And, with love: {x}.",),
    },
}
"""How single words of a list are said. Heartfelt uses the warm ones, an apology the soft ones."""

QUOTES: dict[str, Lines] = {
    "signed": (
        "From {sender}: “{x}”",
        "As {sender} put it: “{x}”",
        "And this comes from {sender}: “{x}”",
        "{sender} wanted you to hear this: “{x}”",
    ),
    "unsigned": (
        "And I quote: “{x}”",
        "Somebody wanted you to hear this: “{x}”",
        "In somebody's own words: “{x}”",
        "And this was written for you: “{x}”",
    ),
}
"""How somebody's own words are handed on without becoming the creator's."""

JOINER = "And"
"""Before the last fact, and before one that is too short to stand alone."""

FIRST = "First of all,"
"""Before a first fact that is too short to stand alone."""

QUOTE_ON = "And also: “{x}”"
"""A second quotation that is too short to stand alone."""

SIGN_OFFS: Lines = ("With love from {sender}.", "From {sender}, with love.", "This was from {sender}.")

TITLES: dict[str, str] = {
    "birthday": "Happy birthday, {name}",
    "wedding": "Congratulations, {name}",
    "anniversary": "Happy anniversary, {name}",
    "graduation": "You did it, {name}",
    "retirement": "Happy retirement, {name}",
    "new_baby": "Welcome to the world",
    "thank_you": "Thank you, {name}",
    "sorry": "Sorry, {name}",
    "condolence": "For {name}",
    "pet": "The one and only {name}",
    "team": "To {name}",
    "just_because": "For {name}, just because",
}

IDEAS: dict[str, Lines] = {
    "faces": ("ease in towards the faces", "hold everyone in frame, drift gently", "slow drift from face to face"),
    "face": ("ease in towards the face", "hold the face, drift gently", "start close, ease back"),
    "none": ("travel slowly across the picture", "ease in on the middle", "drift from left to right"),
    "ending": ("pull back slowly and settle",),
}
"""Picture ideas by what is in the photo."""


def mood_of(occasion: str, tone: str) -> str:
    """Which set of phrases a film draws on: "soft" for a condolence and "sorry" for an apology, whatever the tone."""
    if occasion == "condolence":
        return "soft"
    if occasion == "sorry":
        return "sorry"
    return tone if tone in TONES else "warm"


def greetings(occasion: str, tone: str, *, spoken_to: bool) -> Lines:
    """The openings of an occasion; one nobody foresaw speaks as "just because"."""
    if occasion == "condolence":
        return MOURNING["you" if spoken_to else "about"]["greetings"]
    if not spoken_to:
        return ABOUT.get(occasion, ABOUT["just_because"])
    by_tone = GREETINGS.get(occasion, GREETINGS["just_because"])
    return by_tone.get(tone, by_tone["warm"])


def endings(occasion: str, tone: str, *, spoken_to: bool) -> Lines:
    """The endings of an occasion."""
    if occasion == "condolence":
        return MOURNING["you" if spoken_to else "about"]["endings"]
    if not spoken_to:
        return ABOUT.get(occasion, ABOUT["just_because"])
    by_tone = ENDINGS.get(occasion, ENDINGS["just_because"])
    return by_tone.get(tone, by_tone["warm"])


def leads(mood: str, *, letter: bool, signed: bool, spoken_to: bool) -> Lines:
    """What may follow the greeting."""
    if letter:
        options = LETTER_LEADS["signed" if signed else "unsigned"]
        return options if spoken_to or mood == "soft" else tuple(about(options, spoken_to=False))
    if mood == "soft":
        return MOURNING["you" if spoken_to else "about"]["leads"]
    return LEADS[mood] if spoken_to or mood == "sorry" else ABOUT_LEADS


def closers(mood: str, *, spoken_to: bool) -> Lines:
    """What may come before the ending."""
    if mood == "soft":
        return MOURNING["you" if spoken_to else "about"]["closers"]
    return CLOSERS[mood] if spoken_to else ABOUT_CLOSERS


def about(options: Lines, *, spoken_to: bool) -> list[str]:
    """Those of some phrases that fit: in a film that tells of somebody, the ones that say "you" to nobody."""
    return [o for o in options if spoken_to or not re.search(r"\byour?\b", o, re.I)]


def item_frames(mood: str) -> dict[str, Lines]:
    """How single words are said in a mood."""
    return ITEM_FRAMES[{"heartfelt": "warm", "sorry": "soft"}.get(mood, mood)]
