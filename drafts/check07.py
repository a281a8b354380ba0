import re
src=open('/tmp/w/07.txt').read()
ns={}
blocks=re.split(r'(?m)^%% ',src)[1:]
from gancore.divergences import DIVERGENCES
from gancore.recipes.changed import changed
from gancore.data.targets import target_of
from gancore.recipes.checks import check
import types
ns.update(DIVERGENCES=DIVERGENCES,changed=changed,target_of=target_of,study=types.SimpleNamespace(size={"steps":6000,"looks":60}))
for b in blocks:
    head,body=b.split('\n',1)
    if not head.startswith('code') or 'parameters' in head or 'train' in head or body.strip().startswith(("import","BEST","figure","#")): continue
    if "def arm(" in body:
        ns["best"]={r:{m:v[2][1] for m,v in ns["methods"].items()} for r in ns["recipes"]}
    exec(body,ns)
bad=0
for m in ns["methods"]:
    for d in ns["targets"]:
        for r in ns["recipes"]:
            try: check(ns["arm"](m,d,r))
            except Exception as e: print("XX",m,d,r,str(e)[:220]); bad+=1; break
print(len(ns["methods"]),"bad",bad)
