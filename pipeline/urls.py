"""The pipeline's addresses."""

from django.urls import path

from . import media_view, views

app_name = "pipeline"
urlpatterns = [
    path("orders/<str:code>/film/", views.order, name="order"),
    path("orders/<str:code>/film/progress/", views.progress, name="progress"),
    path("orders/<str:code>/film/words.<str:kind>", views.words, name="words"),
    path("orders/<str:code>/film/versions/", views.version, name="version"),
    path("media/<str:signed>/<str:filename>", media_view.media, name="media"),
]
