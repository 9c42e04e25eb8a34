package dev.tidestream.server.admin.channel;

import java.nio.ByteBuffer;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.server.admin.AdminDesk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class UploadStateTest {
    private static final long BYTES = 10;
    private static final AdminReply.Failed FIRST = new AdminReply.Failed("r", AdminErrorCode.INVALID_LENGTH, "first");
    private static final AdminReply.Failed SECOND = new AdminReply.Failed("r", AdminErrorCode.SHUTTING_DOWN, "second");
    private static final AdminDesk.Upload UPLOAD = new AdminDesk.Upload() {
        @Override
        public void accept(ByteBuffer chunk) {
            chunk.position(chunk.limit());
        }

        @Override
        public AdminReply.Ack finish(AdminDesk.ProgressSink progress) {
            return new AdminReply.Ack("r", 2, Map.of());
        }

        @Override
        public void giveUp(AdminErrorCode why) {
            // nothing is held
        }

        @Override
        public void close() {
            // nothing is held
        }
    };

    @Test
    void shouldReceiveChunkByChunkThenFinish() {
        UploadState.Receiving empty = new UploadState.Receiving(UPLOAD, 0, false);
        assertEquals(empty, new UploadState.Announced().opened(UPLOAD, BYTES));
        UploadState.Receiving writing = empty.write(4);
        assertEquals(new UploadState.Receiving(UPLOAD, 4, true), writing);
        assertEquals(new UploadState.Receiving(UPLOAD, 4, false), writing.written(BYTES));
        assertEquals(new UploadState.Finishing(UPLOAD, false), writing.write(6).written(BYTES));
        assertEquals(new UploadState.Finishing(UPLOAD, false), new UploadState.Announced().opened(UPLOAD, 0));
    }

    @Test
    void shouldKeepTheFirstReasonAndTheUploadThatIsToBeClosed() {
        UploadState early = new UploadState.Announced().giveUp(FIRST);
        assertEquals(new UploadState.GivenUp(null, FIRST, false), early);
        assertEquals(new UploadState.GivenUp(UPLOAD, FIRST, false), early.opened(UPLOAD, BYTES));
        UploadState late = new UploadState.Receiving(UPLOAD, 4, true).giveUp(FIRST);
        assertEquals(new UploadState.GivenUp(UPLOAD, FIRST, false), late);
        assertEquals(late, late.giveUp(SECOND));
        assertEquals(late, late.written(BYTES));
    }

    @Test
    void shouldNotGiveUpWhatIsBeingApplied() {
        UploadState finishing = new UploadState.Finishing(UPLOAD, false);
        assertEquals(finishing, finishing.giveUp(FIRST));
        assertEquals(new UploadState.Finishing(UPLOAD, true), finishing.gone(FIRST));
    }

    @Test
    void shouldRememberThatNobodyWaitsForTheAnswer() {
        UploadState gone = new UploadState.Announced().gone(FIRST);
        assertTrue(gone.isGone());
        assertTrue(gone.opened(UPLOAD, BYTES).isGone());
        assertTrue(new UploadState.GivenUp(UPLOAD, FIRST, false).gone(SECOND).isGone());
        assertEquals(new UploadState.GivenUp(UPLOAD, FIRST, true), new UploadState.GivenUp(UPLOAD, FIRST, false).gone(SECOND));
        assertFalse(new UploadState.Announced().isGone());
    }

    @Test
    void shouldRefuseWhatNoCallCanHaveLedTo() {
        UploadState receiving = new UploadState.Receiving(UPLOAD, 0, false);
        assertThrows(IllegalStateException.class, () -> receiving.opened(UPLOAD, BYTES));
        assertThrows(IllegalStateException.class, () -> new UploadState.Announced().written(BYTES));
        assertThrows(IllegalStateException.class, () -> new UploadState.Finishing(UPLOAD, false).written(BYTES));
    }

    @Test
    void shouldSayHowMuchHasCome() {
        assertEquals("why: received_bytes=4, byte_length=10", new UploadState.Receiving(UPLOAD, 4, false).withNumbers("why", BYTES));
        assertEquals("why: received_bytes=0, byte_length=10", new UploadState.Announced().withNumbers("why", BYTES));
    }
}
