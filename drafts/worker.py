"""worker.py CLONE NOTEBOOK JOBS CLAIMS : trains jobs 'arm first last together' from a notebook's recipes."""
import sys,json,os,time
from pathlib import Path
clone,notebook,jobs,claims=sys.argv[1:5]
os.chdir(f"{clone}/notebooks")
nb=json.load(open(notebook)); ns={"get_ipython":lambda:None}
import matplotlib; matplotlib.use("Agg")
for c in nb["cells"]:
    if c["cell_type"]!="code": continue
    tags=c["metadata"].get("tags",[])
    if "train" in tags: break
    exec(compile("".join(c["source"]),"cell","exec"),ns)
    if "parameters" in tags: ns["train"]=True
study=ns["study"]
arms={}
for name in ("arms","others","albums"):
    arms|=ns[name]
for line in open(jobs):
    arm,first,last,together=line.split()
    claim=Path(claims)/line.strip().replace(" ","_")
    try: claim.mkdir(parents=True)
    except FileExistsError: continue
    t=time.time()
    study.runs({arm:arms[arm]},range(int(first),int(last)+1),together=int(together))
    print("done",line.strip(),round(time.time()-t),"s",time.strftime("%H:%M:%S"),flush=True)
