package dev.tidestream.server.cluster.gateway;

import java.util.Map;
import java.util.WeakHashMap;

import dev.tidestream.server.cluster.wire.RelayedParty;
import dev.tidestream.server.keys.Owner;

/**
 * Names of accounts and connections for workers: equal ones get the same name for as long as one of them is used. Keys and addresses have
 * the same name on every gateway, so that their account is one to a worker; connections are the gateway's own. Any thread.
 */
public final class PartyNames {
    private final String gateway;
    private final Map<Object, String> names = new WeakHashMap<>(); // guarded by this
    private long last;

    /** @param gateway name of this node */
    public PartyNames(String gateway) {
        this.gateway = gateway;
    }

    /** The name of an account or of a connection. */
    public String of(Object party) {
        return switch (party) {
            case Owner owner -> "key " + owner.name();
            case String address -> address;
            case RelayedParty relayed -> relayed.name();
            default -> ofObject(party);
        };
    }

    private synchronized String ofObject(Object party) {
        return names.computeIfAbsent(party, made -> gateway + " " + ++last);
    }
}
