package dev.tidestream.server.receipts;

import java.io.Serial;

/** A receipt, or a key for receipts, that is of no use; the message says why, and shows nothing of a private key. */
public final class ReceiptException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    public ReceiptException(String message) {
        super(message);
    }

    public ReceiptException(String message, Throwable cause) {
        super(message, cause);
    }
}
