# SPDX-License-Identifier: Apache-2.0
# needs: node
# root: host
cat > n.js <<'E'
const net=require('net'),cp=require('child_process'),fs=require('fs'),{Worker,isMainThread,parentPort}=require('worker_threads'),crypto=require('crypto'),zlib=require('zlib'),http=require('http');
if(!isMainThread){parentPort.postMessage('from worker');}
else{(async()=>{
 console.log(await new Promise(r=>{new Worker(__filename).on('message',r)}));
 fs.writeFileSync('n.txt','abc'); console.log(fs.readFileSync('n.txt','utf8'), (await fs.promises.readFile('n.txt')).length);
 console.log(cp.execSync('echo hi | tr a-z A-Z').toString().trim());
 console.log(zlib.gunzipSync(zlib.gzipSync('x'.repeat(100000))).length, crypto.createHash('sha256').update('x').digest('hex').slice(0,8));
 const s=http.createServer((q,r)=>r.end('url '+q.url)); await new Promise(r=>s.listen(0,'127.0.0.1',r));
 const t=await new Promise(r=>http.get({port:s.address().port,path:'/p',host:'127.0.0.1'},x=>{let d='';x.on('data',c=>d+=c);x.on('end',()=>r(d))})); console.log(t); s.close();
 await new Promise(r=>setTimeout(r,30)); console.log('timer'); let a=[];for(let i=0;i<1e6;i++)a.push({i}); console.log(a.length);
})()}
E
node n.js
