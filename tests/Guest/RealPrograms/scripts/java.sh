# SPDX-License-Identifier: Apache-2.0
# needs: java javac
# root: host
cat > H.java <<'E'
import java.util.*; import java.util.concurrent.*; import java.nio.file.*; import java.net.*; import java.io.*;
public class H { public static void main(String[] a) throws Exception {
 System.out.println("hello "+System.getProperty("java.version"));
 ExecutorService e=Executors.newFixedThreadPool(8); List<Future<Long>> l=new ArrayList<>();
 for(int i=0;i<64;i++){ final int k=i; l.add(e.submit(()->{long s=0; for(int j=0;j<1000000;j++) s+=j%(k+1); return s;})); }
 long t=0; for(var f:l) t+=f.get(); System.out.println(t); e.shutdown();
 Path p=Files.createTempFile("x","y"); Files.writeString(p,"content"); System.out.println(Files.readString(p)); Files.delete(p);
 ServerSocket s=new ServerSocket(0,5,InetAddress.getLoopbackAddress()); Thread th=new Thread(()->{ try{ Socket c=s.accept(); c.getOutputStream().write("net".getBytes()); c.close(); }catch(IOException x){x.printStackTrace();} }); th.start();
 Socket c=new Socket(InetAddress.getLoopbackAddress(), s.getLocalPort()); System.out.println(new String(c.getInputStream().readAllBytes())); th.join();
 byte[][] g=new byte[2000][]; for(int r=0;r<20;r++) for(int i=0;i<g.length;i++) g[i]=new byte[20000]; System.gc(); System.out.println("gc");
 try { int[] n=null; System.out.println(n[0]); } catch(NullPointerException x){ System.out.println("npe"); }
 try { rec(0); } catch(StackOverflowError x){ System.out.println("so"); }
 Process pr=new ProcessBuilder("echo","child").start(); System.out.print(new String(pr.getInputStream().readAllBytes())); System.out.println(pr.waitFor());
} static int rec(int i){ return rec(i+1)+1; } }
E
javac H.java && java -cp . H
