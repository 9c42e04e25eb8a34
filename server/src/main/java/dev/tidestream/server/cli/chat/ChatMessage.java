package dev.tidestream.server.cli.chat;

/**
 * What one side said.
 *
 * @param text as it was said
 */
record ChatMessage(Role role, String text) {

    /** Whose it is; on the wire the name in small letters. */
    enum Role {
        SYSTEM,
        USER,
        ASSISTANT
    }
}
