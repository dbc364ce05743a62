"""One settings file. With no environment at all everything runs on this machine; docs/settings.md lists the rest."""

from __future__ import annotations

import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from . import bucket, local_redis
from .env import BASE, VAR, env, local_secret, own_address, port

# Django's generic classes take their type in square brackets at run time, too.
django_stubs_ext.monkeypatch()

# --- where we are -------------------------------------------------------------------------------------------------

PRODUCTION = env.bool("PRODUCTION", default=False)
DEBUG = env.bool("DEBUG", default=not PRODUCTION)
BASE_DIR = BASE
VAR_DIR = VAR
if PRODUCTION and not env.str("SECRET_KEY", default=""):
    raise ImproperlyConfigured("Set SECRET_KEY: production does not make one up.")
SECRET_KEY = env.str("SECRET_KEY", default="") or local_secret()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
PORT = port("PORT", default=8000)
HOST = env.str("HOST", default="127.0.0.1")
ANY_HOST = own_address(HOST) != HOST
SITE_URL = env.str("SITE_URL", default=f"http://{'localhost' if ANY_HOST or HOST == '127.0.0.1' else HOST}:{PORT}")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", HOST])
if not PRODUCTION and ANY_HOST:  # the owner of this machine opened it to the network
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL] if SITE_URL.startswith("https:") else [])

# --- the parts ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "videogen.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "django_htmx",
    "django_rq",
    "accounts",
    "orders",
    "billing",
    "pipeline",
    "videogen",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "videogen.not_found.NotFoundMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.second_factor.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "videogen.urls"
ASGI_APPLICATION = "videogen.asgi.application"

CACHES = {
    # Counts of limits live here: many visitors must not push them out.
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 50_000}}
}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "videogen.context.site",
            ],
        },
    },
]

# --- people -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_request_login_code"
LOGIN_REDIRECT_URL = "orders:mine"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60  # mail may take its time
ACCOUNT_EMAIL_VERIFICATION = "none"  # the code itself proves the address
ACCOUNT_FORMS = {"request_login_code": "accounts.forms.SignInForm", "login": "accounts.forms.DeskForm"}
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a second factor that was added or taken away is told by mail
ACCOUNT_SESSION_REMEMBER = False  # who signs in by password works at the desk: that ends with the browser
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60  # for so long nobody is asked again who they are; see accounts/recent.py
# Staff and creators enter with a second factor. The demo does without, so that it is open in five minutes.
REQUIRE_MFA = env.bool("REQUIRE_MFA", default=PRODUCTION)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_TOTP_ISSUER = "Videogen"
MFA_TOTP_TOLERANCE = 1  # phones' clocks are half a minute off

# --- truth and doorbells ------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if env.str("DATABASE_URL", default=""):
    DATABASES = {"default": {**env.db_url("DATABASE_URL"), "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR / "videogen.sqlite3",
            "OPTIONS": {
                # Writers queue at BEGIN instead of failing in the middle; readers are never blocked.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
            },
        }
    }

REDIS_URL = env.str("REDIS_URL", default="") or local_redis.url(VAR)
REDIS_IS_LOCAL = not env.str("REDIS_URL", default="")
QUEUES = ["control", "voice", "pixels", "render"]
RQ_QUEUES = {
    name: {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": 3600,  # a step's lease is the time-out that counts; this one only ends what nobody leads
        "DEFAULT_RESULT_TTL": 0,
        "REDIS_CLIENT_KWARGS": {"socket_connect_timeout": 1, "health_check_interval": 30},
    }
    for name in QUEUES
}
RQ = {"DEFAULT_RESULT_TTL": 0}
# Its dashboard lets everyone who may enter the desk, creators too, delete jobs.
RQ_SHOW_ADMIN_LINK = False
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
}

# --- files --------------------------------------------------------------------------------------------------------

MEDIA_ROOT = VAR / "media"
MEDIA_LINK_SECONDS = env.int("MEDIA_LINK_SECONDS", default=6 * 3600)
# With a bucket, films and photos stand on S3 or a compatible server; docs/settings.md has what the bucket needs.
AWS_STORAGE_BUCKET_NAME = env.str("AWS_STORAGE_BUCKET_NAME", default="")
AWS_S3_REGION_NAME = env.str("AWS_S3_REGION_NAME", default="")
AWS_S3_ENDPOINT_URL = env.str("AWS_S3_ENDPOINT_URL", default="").rstrip("/")
AWS_ACCESS_KEY_ID = env.str("AWS_ACCESS_KEY_ID", default="")
AWS_SECRET_ACCESS_KEY = env.str("AWS_SECRET_ACCESS_KEY", default="")
AWS_S3_CUSTOM_DOMAIN = env.str("AWS_S3_CUSTOM_DOMAIN", default="")
AWS_CLOUDFRONT_KEY_ID = env.str("AWS_CLOUDFRONT_KEY_ID", default="")
AWS_CLOUDFRONT_KEY = env.str("AWS_CLOUDFRONT_KEY", default="", multiline=True)
# All three or none: a domain without its key would give out links that nobody has signed.
CLOUDFRONT = bool(AWS_S3_CUSTOM_DOMAIN and AWS_CLOUDFRONT_KEY_ID and AWS_CLOUDFRONT_KEY)
# Where browsers send photos to, and where they get films and pictures from, besides us.
UPLOAD_ORIGINS: list[str] = []
FILE_ORIGINS: list[str] = []
FILES: dict[str, object] = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {"location": MEDIA_ROOT},
}
if AWS_STORAGE_BUCKET_NAME:
    UPLOAD_ORIGINS = [bucket.origin(AWS_STORAGE_BUCKET_NAME, AWS_S3_REGION_NAME, AWS_S3_ENDPOINT_URL)]
    FILE_ORIGINS = [f"https://{AWS_S3_CUSTOM_DOMAIN}"] if CLOUDFRONT else UPLOAD_ORIGINS
    FILES = bucket.storage(
        AWS_STORAGE_BUCKET_NAME,
        region=AWS_S3_REGION_NAME,
        own=AWS_S3_ENDPOINT_URL,
        keys=(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY),
        link_seconds=MEDIA_LINK_SECONDS,
        cloudfront=(AWS_S3_CUSTOM_DOMAIN, AWS_CLOUDFRONT_KEY_ID, AWS_CLOUDFRONT_KEY) if CLOUDFRONT else None,
    )
STATIC_URL = "static/"
STATIC_ROOT = BASE / "staticfiles"
STATICFILES_DIRS = [BASE / "static"]
STORAGES = {
    "default": FILES,
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = not PRODUCTION
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_TEMP_DIR = VAR / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
MAX_PHOTO_BYTES = 15 * 1024 * 1024
MAX_ORDER_BYTES = 80 * 1024 * 1024

# --- mail ---------------------------------------------------------------------------------------------------------

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Videogen <hello@videogen.invalid>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10  # a mail server that says nothing must not hold a worker

# --- language and time --------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- making films -------------------------------------------------------------------------------------------------

# Who does each job; "auto" takes the vendor whose key is set and the local twin otherwise.
WRITER = env.str("WRITER", default="auto")
VIDEO = env.str("VIDEO", default="auto")
GATEWAY = env.str("GATEWAY", default="auto")
# Take the money when the order is placed, and give it back where there is no film, instead of holding it until then.
CAPTURE_AT_ONCE = env.bool("CAPTURE_AT_ONCE", default=False)
LEASE_SECONDS = env.int("LEASE_SECONDS", default=30)  # a worker without a sign of life for this long has lost its step
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=5.0)  # alarms are looked for every second
RENDER_THREADS = env.int("RENDER_THREADS", default=2)
# How many workers of each queue `bin/run` starts. A voice API takes seconds for a line; a first look must not wait
# behind the checks of other films.
WORKERS = {
    "control": env.int("CONTROL_WORKERS", default=1),
    "voice": env.int("VOICE_WORKERS", default=3),
    "pixels": env.int("PIXELS_WORKERS", default=2),
    "render": env.int("RENDER_WORKERS", default=1),
}
RENDITIONS_PER_FILM = env.int("RENDITIONS_PER_FILM", default=5)  # other shapes, and without captions: all there are
# Writes down what films say: a faster-whisper model's folder, or that of an installed package; "off" for nobody.
RECOGNISER = env.str("RECOGNISER", default="")
RENDER_SCALE = env.float("RENDER_SCALE", default=1.0)  # tests make small films of the same shape
CURRENCY = "EUR"
# Staff refunds of one order that together pass this need a second person; minor units of CURRENCY, 0 for never.
REFUND_FOUR_EYES = env.int("REFUND_FOUR_EYES", default=5000)
# What is left of a film's price below this share is a low margin on the desk.
LOW_MARGIN = env.float("LOW_MARGIN", default=0.25)

# --- vendors ------------------------------------------------------------------------------------------------------
# A key that is set puts the vendor to work where the job is "auto". Prices are millionths of a US dollar.

OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="https://api.openai.com/v1")
OPENAI_SCRIPT_MODEL = env.str("OPENAI_SCRIPT_MODEL", default="gpt-5.4-mini")
OPENAI_REASONING = env.str("OPENAI_REASONING", default="")
# Per million tokens: fresh input, cached input, output. As of March 2026, to be kept up by whoever pays.
OPENAI_PRICES = env.json("OPENAI_PRICES", default={"input": 750_000, "cached": 75_000, "output": 4_500_000})
OPENAI_LIMIT = env.int("OPENAI_LIMIT", default=8)
OPENAI_MODERATION = env.bool("OPENAI_MODERATION", default=True)
OPENAI_MODERATION_PHOTOS = env.bool("OPENAI_MODERATION_PHOTOS", default=True)
OPENAI_VISION = env.bool("OPENAI_VISION", default=False)

HIGGSFIELD_KEY = env.str("HIGGSFIELD_KEY", default="")  # id:secret
HIGGSFIELD_BASE_URL = env.str("HIGGSFIELD_BASE_URL", default="https://api.higgsfield.ai")
HIGGSFIELD_WEBHOOK_SECRETS = env.list("HIGGSFIELD_WEBHOOK_SECRETS", default=[])
HIGGSFIELD_LIMIT = env.int("HIGGSFIELD_LIMIT", default=6)  # the shots of most films
VIDEO_MODELS = env.str("VIDEO_MODELS", default="")  # JSON; see docs/settings.md

ELEVENLABS_API_KEY = env.str("ELEVENLABS_API_KEY", default="")
ELEVENLABS_BASE_URL = env.str("ELEVENLABS_BASE_URL", default="https://api.elevenlabs.io")
ELEVENLABS_MODEL = env.str("ELEVENLABS_MODEL", default="eleven_multilingual_v2")
ELEVENLABS_PRICE = env.int("ELEVENLABS_PRICE", default=200_000)  # a thousand characters
ELEVENLABS_LIMIT = env.int("ELEVENLABS_LIMIT", default=4)
ELEVENLABS_WEBHOOK_SECRETS = env.list("ELEVENLABS_WEBHOOK_SECRETS", default=[])

SPEECH_BASE_URL = env.str("SPEECH_BASE_URL", default="")  # any server with OpenAI's /v1/audio/speech
SPEECH_API_KEY = env.str("SPEECH_API_KEY", default="")
SPEECH_MODEL = env.str("SPEECH_MODEL", default="tts-1")
SPEECH_PRICE = env.int("SPEECH_PRICE", default=0)
SPEECH_LIMIT = env.int("SPEECH_LIMIT", default=2)

CUSTOM_VOICE_URL = env.str("CUSTOM_VOICE_URL", default="")
CUSTOM_VOICE_KEY = env.str("CUSTOM_VOICE_KEY", default="")
CUSTOM_VOICE_PRICE = env.int("CUSTOM_VOICE_PRICE", default=0)
CUSTOM_VOICE_LIMIT = env.int("CUSTOM_VOICE_LIMIT", default=2)
CUSTOM_VOICE_WEBHOOK_SECRETS = env.list("CUSTOM_VOICE_WEBHOOK_SECRETS", default=[])

STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_BASE_URL = env.str("STRIPE_BASE_URL", default="https://api.stripe.com")
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRETS", default=[])
# Where the form that begins a payment may lead: Stripe's own page or, where something stands in, that one's.
CHECKOUT_ORIGIN = (
    "https://checkout.stripe.com"
    if STRIPE_BASE_URL == "https://api.stripe.com"
    else "/".join(STRIPE_BASE_URL.split("/")[:3])
)

# What one US dollar costs in CURRENCY. Vendors are paid in dollars, fans pay in CURRENCY.
USD_RATE = env.float("USD_RATE", default=1.0)
# Nothing is submitted past these, in minor units of CURRENCY: per order (and never more than this share of its
# price), per day.
ORDER_BUDGET = env.int("ORDER_BUDGET", default=1000)
COST_SHARE = env.float("COST_SHARE", default=0.5)
DAY_BUDGET = env.int("DAY_BUDGET", default=20_000)

# Hours from the order by which the film should be the fan's; a review that is late against it calls staff.
PROMISE_HOURS = env.float("PROMISE_HOURS", default=24.0)
# Seconds in which a creator may take a decision back, and for which a film is theirs to look at.
REVIEW_UNDO_SECONDS = env.float("REVIEW_UNDO_SECONDS", default=10.0)
REVIEW_CLAIM_SECONDS = env.float("REVIEW_CLAIM_SECONDS", default=120.0)
# Who is mailed when staff are called; nobody: the desk alone says it.
STAFF_MAIL = env.list("STAFF_MAIL", default=[])

# --- creators' money ----------------------------------------------------------------------------------------------
# Shares and fees in hundredths of a percent, amounts in minor units of CURRENCY.

CREATOR_SHARE = env.int("CREATOR_SHARE", default=4000)  # of what the fan pays, where nothing else is agreed
LEAST_PRICE = 50  # less than this no gateway takes
GATEWAY_FEE_POINTS = env.int("GATEWAY_FEE_POINTS", default=0)  # where the gateway does not say what it keeps
GATEWAY_FEE_FIXED = env.int("GATEWAY_FEE_FIXED", default=0)
REFUND_WINDOW_DAYS = env.int("REFUND_WINDOW_DAYS", default=14)  # a share is paid out after this
PAYOUT_MINIMUM = env.int("PAYOUT_MINIMUM", default=1000)

# --- the shop window ----------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *FILE_ORIGINS],
        "media-src": [SELF, "blob:", *FILE_ORIGINS],
        "style-src": [SELF],
        "script-src": [SELF],
        "connect-src": [SELF, *UPLOAD_ORIGINS],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF, CHECKOUT_ORIGIN] if STRIPE_SECRET_KEY else [SELF],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: [] for name in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 60
CSRF_COOKIE_SAMESITE = "Lax"
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"keys": {"()": "videogen.logs.WithoutKeys"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["keys"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {
        "videogen": {"level": "INFO"},
        "pipeline": {"level": "INFO"},
        # They quote addresses with their signatures beside what they cannot read and, deeper down, the fan's words.
        **{name: {"level": "ERROR"} for name in ("urllib3", "httpx2", "httpcore2", "openai", "botocore", "s3transfer")},
    },
}
