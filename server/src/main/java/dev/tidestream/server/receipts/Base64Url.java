package dev.tidestream.server.receipts;

import java.util.Base64;

/** Base64url without padding (RFC 7515, section 2), read strictly: two texts never stand for the same bytes. */
final class Base64Url {
    private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

    private Base64Url() {}

    static String encode(byte[] bytes) {
        return ENCODER.encodeToString(bytes);
    }

    /** @param what it is, for the message */
    static byte[] decode(String text, String what) throws ReceiptException {
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw new ReceiptException(what + " is not base64url", e);
        }
        if (!encode(bytes).equals(text)) {
            throw new ReceiptException(what + " is not base64url as it must be written: no padding, no bits left over");
        }
        return bytes;
    }
}
