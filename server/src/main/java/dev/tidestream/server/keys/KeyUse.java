package dev.tidestream.server.keys;

/**
 * What a key has used since the server started, or since its name came into the file.
 *
 * @param name of the key
 * @param requests that were counted
 * @param tokens of prompts and answers
 * @param streams that run now
 */
public record KeyUse(String name, long requests, long tokens, int streams) {}
