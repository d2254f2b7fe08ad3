// SPDX-License-Identifier: Apache-2.0
#pragma warning disable CS1591 // The names are Linux's own.
namespace CVisor.Abi.Linux;

/// <summary>Constants of netlink(7) and rtnetlink(7) (include/uapi/linux/netlink.h, rtnetlink.h, if_link.h, if_addr.h).</summary>
public static class NetlinkConstants
{
    public const ushort NLMSG_NOOP = 1, NLMSG_ERROR = 2, NLMSG_DONE = 3, NLMSG_MIN_TYPE = 16;
    public const ushort NLM_F_REQUEST = 1, NLM_F_MULTI = 2, NLM_F_ACK = 4, NLM_F_DUMP = 0x300;

    public const ushort RTM_NEWLINK = 16, RTM_GETLINK = 18, RTM_SETLINK = 19, RTM_NEWADDR = 20, RTM_GETADDR = 22, RTM_NEWROUTE = 24, RTM_GETROUTE = 26, RTM_GETNEIGH = 30, RTM_GETRULE = 34,
        RTM_GETQDISC = 38, RTM_GETADDRLABEL = 74, RTM_GETNETCONF = 82;

    public const ushort IFLA_ADDRESS = 1, IFLA_BROADCAST = 2, IFLA_IFNAME = 3, IFLA_MTU = 4, IFLA_QDISC = 6, IFLA_TXQLEN = 13, IFLA_OPERSTATE = 16, IFLA_LINKMODE = 17, IFLA_GROUP = 27;
    public const ushort IFA_ADDRESS = 1, IFA_LOCAL = 2, IFA_LABEL = 3, IFA_CACHEINFO = 6, IFA_FLAGS = 8;
    public const byte IFA_F_PERMANENT = 0x80;
    public const ushort RTA_DST = 1, RTA_OIF = 4, RTA_PREFSRC = 7, RTA_TABLE = 15;
    public const byte RT_TABLE_LOCAL = 255, RT_SCOPE_HOST = 254, RTPROT_KERNEL = 2, RTN_LOCAL = 2;
}
