package dev.tidestream.model.packed;

import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;

import dev.tidestream.model.gguf.ModelSource;

/**
 * By what a model file is known again without reading all of it.
 *
 * @param path absolute
 * @param bytes its length
 * @param modifiedNs since 1970
 * @param sampleHash see {@link ModelSource#sampleHash}
 */
record SourceStamp(String path, long bytes, long modifiedNs, String sampleHash) {

    static SourceStamp of(ModelSource file, FileTime modified) {
        return new SourceStamp(
                file.path().toAbsolutePath().toString(),
                file.fileBytes(),
                modified.to(TimeUnit.NANOSECONDS),
                file.sampleHash());
    }
}
