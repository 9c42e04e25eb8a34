package dev.tidestream.server.transport.endpoint;

/** What answers that are put together before they are sent may hold, all together. Event loop. */
public final class AnswerMemory {
    private final long limitBytes;
    private long heldBytes;

    /** @param limitBytes of all together */
    public AnswerMemory(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    /** What all of them may hold. */
    public long limitBytes() {
        return limitBytes;
    }

    /** What all of them hold. */
    public long heldBytes() {
        return heldBytes;
    }

    /** What one answer holds. Event loop. */
    public final class Share {
        private long bytes;

        /** It holds so many bytes now; false, and nothing has changed, if there is no room for them. */
        public boolean grow(long now) {
            if (heldBytes - bytes + now > limitBytes) {
                return false;
            }
            heldBytes += now - bytes;
            bytes = now;
            return true;
        }

        /** It holds nothing any more. */
        public void release() {
            heldBytes -= bytes;
            bytes = 0;
        }
    }

    /** Of one answer. */
    public Share share() {
        return new Share();
    }
}
