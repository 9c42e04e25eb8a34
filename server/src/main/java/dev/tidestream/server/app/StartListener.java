package dev.tidestream.server.app;

import java.nio.file.Path;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.server.admin.AdminDesk;

/** Told how far a start has come, by the thread that starts. */
public interface StartListener {

    /** Tells nobody; warnings go to the log. */
    StartListener NONE = new StartListener() {
        private final Logger log = LoggerFactory.getLogger(StartListener.class);

        @Override
        public Loading loading(Path model) {
            return (stage, doneBytes, totalBytes) -> {};
        }

        @Override
        public Restoring restoring() {
            return (stage, done, of) -> {};
        }

        @Override
        public void warning(String text) {
            log.warn("{}", text);
        }
    };

    /** A model begins to be loaded. */
    Loading loading(Path model);

    /** Versions of the data directory begin to be restored. */
    Restoring restoring();

    /** Something goes another way than was asked for, and the start goes on. */
    void warning(String text);

    /** Of a model file. */
    interface Loading extends ModelLoader.ProgressListener, AutoCloseable {
        /** It has been loaded, or cannot be. */
        @Override
        default void close() {}
    }

    /** Of versions. */
    interface Restoring extends AdminDesk.ProgressSink, AutoCloseable {
        /** They have been restored, or cannot be. */
        @Override
        default void close() {}
    }
}
