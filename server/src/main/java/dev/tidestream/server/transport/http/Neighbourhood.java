package dev.tidestream.server.transport.http;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

import io.netty.channel.Channel;

/** Which remote addresses count as one. */
final class Neighbourhood {
    private static final int IPV4_BYTES = 4;

    private Neighbourhood() {}

    /** Whose neighbours count as one: an address, of IPv6 the network of 64 bits that one customer has. */
    static InetAddress of(Channel channel) {
        if (!(channel.remoteAddress() instanceof InetSocketAddress remote)) {
            return InetAddress.getLoopbackAddress(); // a socket of this machine
        }
        byte[] bytes = remote.getAddress().getAddress();
        if (bytes.length == IPV4_BYTES) {
            return remote.getAddress();
        }
        Arrays.fill(bytes, bytes.length / 2, bytes.length, (byte) 0);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("it was an address: " + remote, e);
        }
    }
}
