package dev.tidestream.model.packed;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

class PieceWriterTest {
    private static final long PIECE = PieceWriter.PIECE_BYTES;

    @Test
    void shouldWriteInWholePiecesWhateverItIsGiven(@TempDir Path folder) throws IOException {
        byte[] expected = new byte[(int) (2 * PIECE + 12_345)];
        new Random(1).nextBytes(expected);
        int zerosFrom = 1_000_000;
        int zerosTo = 1_004_096;
        Arrays.fill(expected, zerosFrom, zerosTo, (byte) 0);
        List<Long> told = new ArrayList<>();
        Path path = folder.resolve("a.panels");
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            PieceWriter writer = new PieceWriter(channel, told::add);
            writer.write(ByteBuffer.wrap(expected, 0, zerosFrom));
            writer.zerosUpTo(zerosTo);
            writer.zerosUpTo(zerosTo);
            int at = zerosTo;
            for (int length : new int[] {1, 0, (int) PIECE, expected.length - zerosTo - 1 - (int) PIECE}) {
                writer.write(ByteBuffer.wrap(expected, at, length));
                at += length;
            }
            writer.flush();
        }
        assertArrayEquals(expected, Files.readAllBytes(path));
        assertEquals(List.of(PIECE, 2 * PIECE, (long) expected.length), told);
    }
}
