"""The orders' addresses. `<code>/film/` is the pipeline's."""

from django.urls import path

from . import direct_views, photo_views, views

app_name = "orders"
urlpatterns = [
    path("orders/", views.mine, name="mine"),
    path("orders/new/<slug:slug>/", views.begin, name="begin"),
    path("orders/<str:code>/again/", views.begin_again, name="begin_again"),
    path("orders/<str:code>/for/", views.for_whom, name="for_whom"),
    path("orders/<str:code>/photos/", photo_views.photos, name="photos"),
    path("orders/<str:code>/photos/add/", photo_views.photo_add, name="photo_add"),
    path("orders/<str:code>/photos/sort/", photo_views.photo_sort, name="photo_sort"),
    path("orders/<str:code>/photos/list/", photo_views.photo_list, name="photo_list"),
    path("orders/<str:code>/photos/ticket/", direct_views.ticket, name="photo_ticket"),
    path("orders/<str:code>/photos/arrived/", direct_views.arrived, name="photo_arrived"),
    path("orders/<str:code>/photos/<str:token>/remove/", photo_views.photo_remove, name="photo_remove"),
    path("orders/<str:code>/story/", views.story, name="story"),
    path("orders/<str:code>/summary/", views.summary, name="summary"),
]
