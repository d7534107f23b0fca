// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFilesTest {
  private static final byte[] IMAGES = images(3, 2, 2);
  private static final byte[] LABELS = labels(7, 0, 9);

  @TempDir private Path folder;

  @BeforeEach
  void writePair() throws IOException {
    Files.write(folder.resolve("train-images-idx3-ubyte"), IMAGES);
    Files.write(folder.resolve("train-labels-idx1-ubyte.gz"), gzip(LABELS));
  }

  @Test
  void readsIdxPlainAndCompressed() throws IOException {
    LabelledImages images = IdxFiles.read(folder);

    assertThat(images.size()).isEqualTo(3);
    assertThat(images.labels()).containsExactly(7, 0, 9);
    assertThat(images.image(0)).containsExactly(255, 254, 253, 252);
    assertThat(images.image(2)).containsExactly(247, 246, 245, 244);
  }

  @Test
  void choosesAmongSeveralPairs() throws IOException {
    Files.write(folder.resolve("fashion-1k-images-idx3-ubyte"), images(1, 1, 1));
    Files.write(folder.resolve("fashion-1k-labels-idx1-ubyte"), labels(4));

    assertThat(IdxFiles.read(folder).size()).isEqualTo(3);
    assertThat(IdxFiles.read(folder.resolve("fashion-1k")).labels()).containsExactly(4);
    Files.delete(folder.resolve("train-images-idx3-ubyte"));
    assertThat(IdxFiles.read(folder).labels()).containsExactly(4);
  }

  @Test
  void saysWhichPairsThereAreWhenNoneIsMeant() throws IOException {
    for (String prefix : new String[] {"a", "b"}) {
      Files.move(
          Files.write(folder.resolve("x"), IMAGES), folder.resolve(prefix + "-images-idx3-ubyte"));
      Files.write(folder.resolve(prefix + "-labels-idx1-ubyte"), LABELS);
    }
    Files.delete(folder.resolve("train-images-idx3-ubyte"));

    assertComplaint(() -> IdxFiles.read(folder), "must hold one pair of IDX files, got [a, b]");
  }

  @Test
  void refusesDamagedIdx() throws IOException {
    Path images = folder.resolve("train-images-idx3-ubyte");
    Files.write(images, Arrays.copyOf(IMAGES, IMAGES.length - 1));
    assertComplaint(() -> IdxFiles.read(folder), "image 2 must have 4 bytes, got 3");
    Files.write(images, Arrays.copyOf(IMAGES, IMAGES.length + 1));
    assertComplaint(() -> IdxFiles.read(folder), "bytes that its header announces, got more");
    Files.write(images, images(2, 2, 2));
    assertComplaint(() -> IdxFiles.read(folder), "got 3 labels for 2 images");
    Files.write(images, images(3, 70_000, 2));
    assertComplaint(() -> IdxFiles.read(folder), "1 to 65536 pixels, got 70000 × 2");
    Files.write(images, gzip(images(Integer.MAX_VALUE, 2, 2)));
    assertComplaint(() -> IdxFiles.read(folder), "got 2147483647");
    Files.write(images, LABELS);
    assertComplaint(() -> IdxFiles.read(folder), "must have 16 bytes, got 11");
    Files.write(images, new byte[16]);
    assertComplaint(() -> IdxFiles.read(folder), "must start with 00000803, got 00000000");
    Files.write(images, Arrays.copyOf(gzip(IMAGES), 20));
    assertComplaint(() -> IdxFiles.read(folder), "broken compressed data");
  }

  @Test
  void refusesMissingIdx() throws IOException {
    assertComplaint(
        () -> IdxFiles.read(folder.resolve("no/where")), "folder of the IDX files must exist");
    assertComplaint(
        () -> IdxFiles.read(folder.resolve("absent")), "must hold train-images-idx3-ubyte");
    Files.write(folder.resolve("train-labels-idx1-ubyte.gz"), labels(7, 0, 10));
    assertComplaint(() -> IdxFiles.read(folder), "labels must be 0 to 9, got 10 for image 2");
  }

  @Test
  void readsCifarPlainAndCompressed() throws IOException {
    byte[] two = new byte[2 * 3073];
    two[0] = 3;
    two[1] = (byte) 200;
    two[3073] = 9;
    two[2 * 3073 - 1] = 17;
    for (byte[] bytes : new byte[][] {two, gzip(two)}) {
      LabelledImages images = CifarFile.read(Files.write(folder.resolve("batch.bin"), bytes));

      assertThat(images.labels()).containsExactly(3, 9);
      assertThat(images.image(0)).hasSize(3072).startsWith(200f, 0f);
      assertThat(images.image(1)).endsWith(0f, 17f);
    }
  }

  @Test
  void refusesOtherCifar() throws IOException {
    Path file = folder.resolve("batch.bin");
    assertComplaint(() -> CifarFile.read(file), "must exist");
    Files.write(file, new byte[0]);
    assertComplaint(() -> CifarFile.read(file), "got 0 images and 0 bytes more");
    Files.write(file, new byte[3073 + 10]);
    assertComplaint(() -> CifarFile.read(file), "got 1 images and 10 bytes more");
    byte[] wrong = new byte[3073];
    wrong[0] = 77;
    Files.write(file, wrong);
    assertComplaint(() -> CifarFile.read(file), "labels must be 0 to 9, got 77 for image 0");
  }

  private static void assertComplaint(ThrowingCallable reading, String complaint) {
    assertThatThrownBy(reading)
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(complaint);
  }

  /** Pixels count down from 255; of a count too large to be real only the header is made. */
  private static byte[] images(int count, int rows, int columns) {
    int pixels = count > 100 || rows > 100 ? 0 : count * rows * columns;
    ByteBuffer buffer = ByteBuffer.allocate(16 + pixels);
    buffer.putInt(0x803).putInt(count).putInt(rows).putInt(columns);
    for (int i = 0; i < pixels; i++) {
      buffer.put((byte) (255 - i));
    }
    return buffer.array();
  }

  private static byte[] labels(int... labels) {
    ByteBuffer buffer = ByteBuffer.allocate(8 + labels.length);
    buffer.putInt(0x801).putInt(labels.length);
    for (int label : labels) {
      buffer.put((byte) label);
    }
    return buffer.array();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
      gzip.write(bytes);
    }
    return compressed.toByteArray();
  }
}
