"""Loaded before the settings: tests write to a folder of their own and know no vendor's key."""

import atexit
import gc
import os
import shutil
import tempfile

# What is loaded stays: the garbage collector would look through it again and again. `conftest.py` starts it afterwards.
gc.disable()

# Where the tests run on another database than SQLite in memory; each makes its own and removes it.
DATABASE = os.environ.pop("TEST_DATABASE_URL", "")
VAR = tempfile.mkdtemp(prefix="videogen-tests-")
atexit.register(shutil.rmtree, VAR, ignore_errors=True)
os.environ["VIDEOGEN_VAR"] = VAR
os.environ["REVIEW_UNDO_SECONDS"] = "0"  # what is decided counts at once, but where a test is about taking it back
os.environ["RECOGNISER"] = "off"  # two CPU seconds a film; who tests it switches it on
os.environ["VIDEOGEN_ALONE"] = "1"  # no .env file is read, here or in a process that a test starts
# Tests may drive async views and Playwright from one thread; the database is theirs alone.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

OURS = (
    "PRODUCTION",
    "DATABASE_URL",
    "REDIS_URL",
    "SITE_URL",
    "EMAIL_URL",
    "VIDEOGEN_FAULTS",
    "WRITER",
    "VIDEO",
    "GATEWAY",
)
VENDORS = (
    "OPENAI_",
    "HIGGSFIELD_",
    "ELEVENLABS_",
    "SPEECH_",
    "CUSTOM_VOICE_",
    "AWS_",
    "VIDEO_MODELS",
    "STRIPE_",
    "CAPTURE_",
)
for name in [*os.environ]:
    if name in OURS or name.startswith(VENDORS):
        del os.environ[name]
if DATABASE:
    os.environ["DATABASE_URL"] = DATABASE
