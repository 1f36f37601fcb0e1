import string
import socket, os


def half(n):
    return n / 2


def own_string():
    return string.letters[:2]


def try_import(module, name, namespace):
    exec 'from %s import %s' % (module, name) in namespace
    return namespace[name]
