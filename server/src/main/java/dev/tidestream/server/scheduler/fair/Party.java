package dev.tidestream.server.scheduler.fair;

/**
 * Whose a stream is. Accounts share with each other, and the connections of an account share what that has.
 *
 * @param account the owner of an API key, or where there are none the address that the connection came from
 * @param connection one of its connections
 */
public record Party(Object account, Object connection) {}
