// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Gofer;
using CVisor.Gofer.Server;
using CVisor.Host;

namespace CVisor.FileSystems.Tests;

/// <summary>A gofer file system over a temporary tree, its server in a thread.</summary>
internal sealed class GoferMount : IDisposable
{
    private readonly Thread _server;
    private readonly int _procFd;

    public GoferMount(GoferSharing sharing = GoferSharing.Exclusive, bool donates = true, bool readOnly = false, bool isDirect = false, Action<string>? populate = null)
    {
        const int AtFdcwd = -100, OPath = 0x200000, OCloexec = 0x80000, Seqpacket = 5;
        Tree = Directory.CreateTempSubdirectory("goferfs").FullName;
        populate?.Invoke(Tree);
        FdPair pair = default;
        HostCalls.Socketpair(1, Seqpacket | OCloexec, 0, ref pair).OrThrow("socketpair");
        _procFd = HostCalls.Openat(AtFdcwd, "/proc/self/fd\0"u8, OPath | OCloexec, 0).OrThrow("open /proc/self/fd").Int;
        int tree = HostCalls.Openat(AtFdcwd, Encoding.UTF8.GetBytes(Tree + '\0'), OPath | OCloexec, 0).OrThrow("open the tree").Int;
        GoferSession session = new(pair.First, tree, new HostFiles(_procFd), new TreeOptions { DonatesFiles = donates, ReadOnly = readOnly, DonatesRoot = isDirect });
        _server = new Thread(session.Serve);
        _server.Start();
        GoferFileSystem.Attach(pair.Second, sharing, isDirect, out GoferFileSystem? fileSystem).ShouldBe(Errno.None);
        FileSystem = fileSystem!;
    }

    public string Tree { get; }

    public GoferFileSystem FileSystem { get; }

    public Inode Root => FileSystem.Root;

    public string PathOf(string name) => Path.Combine(Tree, name);

    public void Dispose()
    {
        FileSystem.Release();
        _server.Join(TimeSpan.FromSeconds(10)).ShouldBeTrue();
        _ = HostCalls.Close(_procFd);
        Directory.Delete(Tree, recursive: true);
    }
}

/// <summary>Short forms of inode operations for tests.</summary>
internal static class InodeTestExtensions
{
    /// <summary>Looks a path up, and references what it finds.</summary>
    public static Inode Find(this Inode directory, string path)
    {
        Inode current = directory;
        foreach (string name in path.Split('/'))
        {
            current.Lookup(OperationContext.Kernel, name, out Inode? child).ShouldBe(Errno.None, name);
            child!.Reference();
            current = child;
        }

        return current;
    }

    public static Errno TryFind(this Inode directory, string name) => directory.Lookup(OperationContext.Kernel, name, out _);

    public static FileDescription Open(this Inode inode, OpenFlags flags)
    {
        OpenResult result = inode.Open(OperationContext.Kernel, default, flags).Take();
        result.Error.ShouldBe(Errno.None);
        return result.Description!;
    }

    public static Errno TryOpen(this Inode inode, OpenFlags flags) => inode.Open(OperationContext.Kernel, default, flags).Take().Error;

    public static string ReadAll(this FileDescription file)
    {
        StringBuilder text = new();
        byte[] buffer = new byte[100_000];
        while (true)
        {
            IoBuffer io = new(buffer.AsMemory());
            IoResult result = file.Read(null, ref io);
            result.Error.ShouldBe(Errno.None);
            if (result.Count == 0)
            {
                return text.ToString();
            }

            text.Append(Encoding.Latin1.GetString(buffer, 0, (int)result.Count));
        }
    }

    public static IoResult Put(this FileDescription file, string text)
    {
        IoBuffer io = new(Encoding.Latin1.GetBytes(text).AsMemory());
        return file.Write(null, ref io);
    }

    public static Attributes Stat(this Inode inode)
    {
        inode.GetAttributes(out Attributes attributes).ShouldBe(Errno.None);
        return attributes;
    }

    public static List<string> List(this Inode directory)
    {
        FileDescription open = directory.Open(OpenFlags.Directory);
        ListSink sink = new();
        while (true)
        {
            int before = sink.Names.Count;
            sink.Room = 7;
            open.ReadDirectory(OperationContext.Kernel, sink).ShouldBe(Errno.None);
            if (sink.Names.Count == before)
            {
                break;
            }
        }

        open.Unreference();
        return sink.Names;
    }

    private sealed class ListSink : IDirectorySink
    {
        public List<string> Names { get; } = [];

        public int Room { get; set; }

        public bool Add(string name, ulong inode, FileType type, long nextOffset)
        {
            if (Room-- <= 0)
            {
                return false;
            }

            Names.Add(name);
            return true;
        }
    }
}
