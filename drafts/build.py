"""draft.txt like.ipynb out.ipynb : cells separated by lines '%% md', '%% code [tags]'."""
import json,sys,re
draft,like,out=sys.argv[1:4]
nb=json.load(open(like)); cells=[]
for block in re.split(r'(?m)^%% ',open(draft).read())[1:]:
    head,body=block.split('\n',1); kind,*tags=head.split()
    body=body.strip('\n'); src=body.splitlines(keepends=True)
    i=len(cells); meta={"tags":tags} if tags else {}
    if kind=='md': cells.append({"cell_type":"markdown","id":f"c{i:02d}","metadata":meta,"source":src})
    else: cells.append({"cell_type":"code","execution_count":None,"id":f"c{i:02d}","metadata":meta,"outputs":[],"source":src})
nb['cells']=cells
json.dump(nb,open(out,'w'),indent=1,ensure_ascii=False); open(out,'a').write('\n')
code=[c for c in cells if c['cell_type']=='code']
L=sorted(len(''.join(c['source']).splitlines()) for c in code)
print(len(cells),'cells',len(code),'code; median',L[len(L)//2],'max',L[-1], 'too wide:',[(i,len(l)) for i,c in enumerate(cells) if c['cell_type']=='code' for l in ''.join(c['source']).splitlines() if len(l)>95])
