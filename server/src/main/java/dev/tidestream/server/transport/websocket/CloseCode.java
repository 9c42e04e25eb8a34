package dev.tidestream.server.transport.websocket;

/** Close codes of RFC 6455, section 7.4, and of its registry. */
public final class CloseCode {
    /** The client is gone. */
    public static final int GOING_AWAY = 1001;
    /** A violation of the protocol. */
    public static final int PROTOCOL_ERROR = 1002;
    /** Text that is not UTF-8. */
    public static final int INVALID_UTF8 = 1007;
    /** A frame that is too large to be read at all. */
    public static final int TOO_BIG = 1009;
    /** The server stops, and another may be there soon; clients that know this code connect again. */
    public static final int RESTART = 1012;
    /** There is too much to do; clients come back later. */
    public static final int TRY_AGAIN_LATER = 1013;
    /** Stands for a close frame without a code; never on the wire. */
    static final int NONE = 1005;

    private static final int FIRST_OF_LIBRARIES = 3000;
    private static final int LAST_OF_APPLICATIONS = 4999;

    private CloseCode() {}

    /** Whether a client may send this code: those that RFC 6455 defines for the wire, and those of libraries and applications. */
    static boolean mayBeReceived(int code) {
        return switch (code) {
            case 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011 -> true;
            default -> code >= FIRST_OF_LIBRARIES && code <= LAST_OF_APPLICATIONS;
        };
    }
}
