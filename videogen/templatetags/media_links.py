"""Links to stored files in templates."""

from django.template import Library

from pipeline.media_links import link

register = Library()


@register.simple_tag
def media_url(name: str, filename: str = "") -> str:
    """A short-lived signed address for a stored file; empty for no file."""
    return link(name, filename)
