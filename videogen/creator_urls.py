"""The creators' addresses."""

from django.urls import path

from . import views

app_name = "creators"
urlpatterns = [path("creators/<slug:slug>/", views.creator, name="show")]
