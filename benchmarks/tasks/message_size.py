"""Print how many bytes the message of the small object has, sent to oneself."""

import json

import pvm_ext

from .echo import JOB, SMALL

if __name__ == "__main__":
    me = pvm_ext.mytid()
    pvm_ext.send_object(me, JOB, SMALL)
    pvm_ext.recv(me, JOB)
    length, _, _ = pvm_ext.bufinfo(pvm_ext.getrbuf())
    print(json.dumps({"bytes": length}))
    pvm_ext.exit()
