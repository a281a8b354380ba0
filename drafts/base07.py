import re,sys,types,time,torch,numpy as np
torch.set_num_threads(1)
sys.path.insert(0,"/tmp/w/new07")
from gancore.divergences import DIVERGENCES
from gancore.recipes.changed import changed
from gancore.data.targets import target_of
from gancore.recipes.build import population
from gancore.observers import observers
from gancore.training.loop import train
from gancore.study.results import as_dataset
import json
src=open('/tmp/w/07.txt').read(); ns={}
STEPS=int(sys.argv[1]); 
ns.update(DIVERGENCES=DIVERGENCES,changed=changed,target_of=target_of,study=types.SimpleNamespace(size={"steps":STEPS,"looks":20}))
for b in re.split(r'(?m)^%% ',src)[1:]:
    head,body=b.split('\n',1)
    if not head.startswith('code') or 'parameters' in head or 'train' in head or body.strip().startswith(("import","BEST","figure","#")): continue
    if "def arm(" in body: ns["best"]={r:{m:v[2][0] for m,v in ns["methods"].items()} for r in ns["recipes"]}
    exec(body,ns)
import comparison
def go(r,seeds):
    t=time.process_time(); runs=population(r,seeds,torch.device("cpu")); o=observers(r["observe"],r["steps"],runs)
    rec=train(runs,r["steps"],list(o.values())); ds=as_dataset(r,runs,rec); ds.attrs["recipe"]=json.dumps(r)
    return ds,1e6*(time.process_time()-t)/r["steps"]/len(runs.seeds)
if __name__=="__main__":
    for m in sys.argv[2].split(","):
        for d in sys.argv[3].split(","):
            for rec in ns["recipes"]:
                r=ns["arm"](m,d,rec); ds,us=go(r,range(8)); ds=ds.isel(value=0) if "value" in ds.dims else ds
                e=ds.isel(step=-1)
                print(m,d,rec,"reached",np.round(comparison.reached(ds),2).tolist(),"hq",np.round(np.median(e.high_quality.values),2) if "high_quality" in e else "", "hops",comparison.number_of_hops(ds).tolist() if "mode_shares" in ds else "","%.0f us"%us,flush=True)
