package dev.tidestream.server.cluster.wire;

/**
 * Who a relayed stream belongs to, as the gateway names it: equal ones are one account, or one connection, to the worker, whichever
 * gateway they come over.
 *
 * @param name of the account, or of the connection and its gateway
 */
public record RelayedParty(String name) {}
