// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Tmpfs;

namespace CVisor.Vfs.Tests;

/// <summary>A tmpfs root, and short forms of what tests do in it.</summary>
public sealed class Tree
{
    private static readonly Lazy<SandboxMemory> s_memory = new(() => SandboxMemory.Create(1UL << 32));

    public Tree(TmpfsOptions? options = null, SandboxMemory? memory = null)
    {
        FileSystem = new TmpfsFileSystem(memory ?? Memory, options ?? new TmpfsOptions { RootMode = 0x1ed });
        Mounts = new MountNamespace(new Mount(FileSystem, MountFlags.None, "none"));
        Root = Mounts.Root.RootPath;
        Start = Root;
    }

    public static SandboxMemory Memory => s_memory.Value;

    public TmpfsFileSystem FileSystem { get; }

    public MountNamespace Mounts { get; }

    public VfsPath Root { get; set; }

    public VfsPath Start { get; set; }

    public OperationContext Who { get; set; } = OperationContext.Kernel;

    public static OperationContext User(uint uid) => new(
        new UserCredentials { RealUid = uid, EffectiveUid = uid, SavedUid = uid, FileUid = uid, RealGid = uid, EffectiveGid = uid, SavedGid = uid, FileGid = uid }, null);

    public Errno MakeDirectory(string path, uint mode = 0x1ed) => VirtualFileSystem.MakeDirectory(Who, Root, Start, path, mode);

    public Errno Symlink(string target, string path) => VirtualFileSystem.MakeSymlink(Who, Root, Start, path, target);

    public Errno Unlink(string path) => VirtualFileSystem.Unlink(Who, Root, Start, path);

    public Errno RemoveDirectory(string path) => VirtualFileSystem.RemoveDirectory(Who, Root, Start, path);

    public Errno Rename(string from, string to, RenameFlags flags = RenameFlags.None) => VirtualFileSystem.Rename(Who, Root, Start, from, Start, to, flags);

    public Errno Link(string from, string to)
    {
        VfsPath existing = Find(from);
        return VirtualFileSystem.Link(Who, existing, Root, Start, to);
    }

    public Errno Resolve(string path, WalkFlags flags, out VfsPath place) => VirtualFileSystem.Resolve(Who, Root, Start, path, flags, out place);

    public Errno Walk(string path, WalkFlags flags = WalkFlags.FollowLast) => Resolve(path, flags, out _);

    public VfsPath Find(string path)
    {
        Resolve(path, WalkFlags.FollowLast, out VfsPath place).ShouldBe(Errno.None, path);
        return place;
    }

    public string Where(string path, WalkFlags flags = WalkFlags.FollowLast)
    {
        Errno error = Resolve(path, flags, out VfsPath place);
        return error != Errno.None ? error.ToString() : PathText.Of(place, Root);
    }

    public Errno TryOpen(string path, OpenFlags flags, out FileDescription? file, uint mode = 0x1a4)
    {
        Blocking<OpenResult> opening = VirtualFileSystem.Open(Who, Root, Start, path, flags, mode);
        opening.IsCompleted.ShouldBeTrue();
        OpenResult result = opening.Take();
        file = result.Description;
        return result.Error;
    }

    public FileDescription Open(string path, OpenFlags flags, uint mode = 0x1a4)
    {
        TryOpen(path, flags, out FileDescription? file, mode).ShouldBe(Errno.None, path);
        return file!;
    }

    public void Write(string path, string text)
    {
        FileDescription file = Open(path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate);
        Write(file, text).ShouldBe(text.Length);
        file.Unreference();
    }

    public static long Write(FileDescription file, string text, long offset = -1)
    {
        IoBuffer buffer = new(Encoding.Latin1.GetBytes(text));
        IoResult result = offset < 0 ? file.Write(null, ref buffer) : file.WriteAt(null, ref buffer, offset);
        return result.IsError ? -(long)result.Error : result.Count;
    }

    public static string Read(FileDescription file, int length, long offset = -1)
    {
        byte[] bytes = new byte[length];
        IoBuffer buffer = new(bytes);
        IoResult result = offset < 0 ? file.Read(null, ref buffer) : file.ReadAt(null, ref buffer, offset);
        result.Error.ShouldBe(Errno.None);
        return Encoding.Latin1.GetString(bytes, 0, (int)result.Count);
    }

    public string Read(string path)
    {
        FileDescription file = Open(path, OpenFlags.ReadOnly);
        string text = Read(file, 1 << 16);
        file.Unreference();
        return text;
    }

    public Attributes Stat(string path)
    {
        Find(path).Inode.GetAttributes(out Attributes attributes).ShouldBe(Errno.None);
        return attributes;
    }

    public List<string> List(string path)
    {
        FileDescription directory = Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
        Names names = new();
        directory.ReadDirectory(Who, names).ShouldBe(Errno.None);
        directory.Unreference();
        return names.All;
    }

    public sealed class Names : IDirectorySink
    {
        public List<string> All { get; } = [];

        public int Room { get; set; } = int.MaxValue;

        public bool Add(string name, ulong inode, FileType type, long nextOffset)
        {
            if (Room == 0)
            {
                return false;
            }

            Room--;
            All.Add(name);
            return true;
        }
    }
}
