from __future__ import absolute_import
import string
letters = string.letters[:3]
import package.helper as H
