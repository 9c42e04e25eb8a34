package dev.tidestream.server.openai;

import dev.tidestream.server.openai.wire.JsonBytes;

/** Token ids in an answer. */
final class TokenIds {
    private TokenIds() {}

    static void write(JsonBytes out, int[] tokens) {
        out.raw("[");
        for (int i = 0; i < tokens.length; i++) {
            out.raw(i == 0 ? "" : ",").number(tokens[i]);
        }
        out.raw("]");
    }
}
