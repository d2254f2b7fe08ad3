// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace CVisor.Host;

/// <summary>Messages on unix sockets that carry descriptors (SCM_RIGHTS, unix(7)).</summary>
public static unsafe class DescriptorMessage
{
    /// <summary>The most descriptors one message carries (the kernel's SCM_MAX_FD is 253; nobody here sends so many).</summary>
    public const int MaxDescriptors = 64;

    private const int SolSocket = 1, ScmRights = 1, HeaderBytes = 16;
    private const int MsgNosignal = 0x4000, MsgCmsgCloexec = 0x40000000, MsgCtrunc = 8;

    /// <summary>Sends bytes, and the descriptors along with the first of them; the value is how many bytes went.</summary>
    /// <param name="socket">A connected unix socket.</param>
    /// <param name="bytes">At least one byte when there are descriptors.</param>
    /// <param name="descriptors">At most <see cref="MaxDescriptors"/>.</param>
    [HostCall("sendmsg")]
    public static HostResult Send(int socket, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
        if (descriptors.Length > MaxDescriptors)
        {
            return new HostResult(-(long)HostErrno.EINVAL);
        }

        // SAFETY: control holds a header and MaxDescriptors ints; every pointer lives to the end of the call.
        byte* control = stackalloc byte[HeaderBytes + (MaxDescriptors * 4)];
        fixed (byte* data = bytes)
        {
            HostIoVec iov = new((nuint)data, (nuint)bytes.Length);
            HostMsghdr message = new() { Iov = (nuint)(&iov), IovLength = 1 };
            if (!descriptors.IsEmpty)
            {
                int length = HeaderBytes + (descriptors.Length * 4);
                *(ulong*)control = (ulong)length;
                *(int*)(control + 8) = SolSocket;
                *(int*)(control + 12) = ScmRights;
                descriptors.CopyTo(new Span<int>(control + HeaderBytes, descriptors.Length));
                message.Control = (nuint)control;
                message.ControlLength = (nuint)((length + 7) & ~7);
            }

            return HostCalls.Sendmsg(socket, ref message, MsgNosignal);
        }
    }

    /// <summary>Receives bytes and the descriptors that came with them (close-on-exec); the value is how many bytes came.</summary>
    /// <param name="socket">A connected unix socket.</param>
    /// <param name="buffer">Where the bytes go.</param>
    /// <param name="descriptors">Where the descriptors go; those that do not fit are closed.</param>
    /// <param name="descriptorCount">How many came.</param>
    /// <param name="flags">MSG_* flags besides MSG_CMSG_CLOEXEC.</param>
    [HostCall("recvmsg")]
    [HostCall("close")]
    public static HostResult Receive(int socket, Span<byte> buffer, Span<int> descriptors, out int descriptorCount, int flags = 0)
    {
        descriptorCount = 0;

        // SAFETY: control holds a header and MaxDescriptors ints; every pointer lives to the end of the call. The kernel
        // writes control messages whose lengths stay within ControlLength.
        byte* control = stackalloc byte[HeaderBytes + (MaxDescriptors * 4)];
        fixed (byte* data = buffer)
        {
            HostIoVec iov = new((nuint)data, (nuint)buffer.Length);
            HostMsghdr message = new()
            {
                Iov = (nuint)(&iov),
                IovLength = 1,
                Control = (nuint)control,
                ControlLength = HeaderBytes + (MaxDescriptors * 4),
            };
            HostResult result = HostCalls.Recvmsg(socket, ref message, MsgCmsgCloexec | flags);
            if (result.IsError)
            {
                return result;
            }

            nuint offset = 0;
            while (offset + HeaderBytes <= message.ControlLength)
            {
                ulong length = *(ulong*)(control + offset);
                if (length < HeaderBytes || offset + length > message.ControlLength)
                {
                    break;
                }

                if (*(int*)(control + offset + 8) == SolSocket && *(int*)(control + offset + 12) == ScmRights)
                {
                    int count = (int)(length - HeaderBytes) / 4;
                    int* numbers = (int*)(control + offset + HeaderBytes);
                    for (int i = 0; i < count; i++)
                    {
                        if (descriptorCount < descriptors.Length)
                        {
                            descriptors[descriptorCount++] = numbers[i];
                        }
                        else
                        {
                            _ = HostCalls.Close(numbers[i]);
                        }
                    }
                }

                offset += (nuint)((length + 7) & ~7UL);
            }

            return result;
        }
    }
}
