// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Valid files after some damage, read as their own kind and as any other: there is an array or one
 * line of complaint, and no more memory than the file is worth. A thousand tries each; {@code
 * -Dtest.jdk.args=-Djqwik.tries.default=500000} makes it a campaign.
 */
class ReaderFuzzTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Buffers of 64 kB and an exception. */
  private static final long MEMORY = 1 << 21;

  /** What compressed data may become. */
  private static final long COMPRESSED_MEMORY = 3 << 26;

  /** Numbers that headers lie with. */
  private static final long[] LIES = {0, 1, -1, 5, 1 << 20, 1L << 31, 1L << 40, Long.MIN_VALUE};

  private final byte[] dataSet = dataSet();
  private Path file;

  interface Reader {
    long entries(Path file) throws IOException;
  }

  @BeforeProperty
  void createFile() throws IOException {
    file = Files.createTempFile("fuzz", ".csv");
    loadClasses();
  }

  /** Which takes memory too. */
  private void loadClasses() throws IOException {
    for (String text : new String[] {"1,2\n", "1,x\n"}) {
      read(text.getBytes(StandardCharsets.UTF_8), ReaderFuzzTest::array);
    }
    for (byte[] bytes : new byte[][] {dataSet, Arrays.copyOf(dataSet, 30)}) {
      read(bytes, ReaderFuzzTest::dataSet);
    }
    for (String name : new String[] {"rows-f8.npy", "vector.npy", "one.npz", "two.npz"}) {
      read(resource(name), ReaderFuzzTest::matrix);
    }
  }

  @AfterProperty
  void deleteFile() throws IOException {
    Files.delete(file);
  }

  @Property
  void npy(@ForAll long seed) throws IOException {
    RandomStream random = new RandomStream(seed);
    String[] names = {"rows-f8", "columns-bigf4", "version2", "half", "bool", "u8", "tensor"};
    byte[] good = resource(names[random.nextInt(names.length)] + ".npy");
    requireArrayOrComplaint(damaged(good, random), MEMORY, ReaderFuzzTest::array);
  }

  @Property
  void npz(@ForAll long seed) throws IOException {
    RandomStream random = new RandomStream(seed);
    String[] names = {"one", "two", "compressed"};
    byte[] good = resource(names[random.nextInt(names.length)] + ".npz");
    requireArrayOrComplaint(damaged(good, random), COMPRESSED_MEMORY, ReaderFuzzTest::matrix);
  }

  @Property
  void csv(@ForAll long seed) throws IOException {
    String good = "x,\"y\",z\n# comment\n1,-2.5,3e-4\n.5,\"6\",+7\n8,9,1e300\n";
    byte[] bytes = damaged(good.getBytes(StandardCharsets.UTF_8), new RandomStream(seed));
    requireArrayOrComplaint(bytes, MEMORY, ReaderFuzzTest::array);
  }

  @Property
  void dataSets(@ForAll long seed) throws IOException {
    requireArrayOrComplaint(
        damaged(dataSet, new RandomStream(seed)), MEMORY, ReaderFuzzTest::dataSet);
  }

  private static long array(Path file) throws IOException {
    NumericArray array = ArrayFile.read(file.toString());
    long product = Arrays.stream(array.shape()).reduce(1, (a, b) -> a * b);
    assertThat(product)
        .isEqualTo(array.isSinglePrecision() ? array.floats().length : array.doubles().length);
    return product;
  }

  private static long matrix(Path file) throws IOException {
    NumericMatrix matrix = ArrayFile.readMatrix(file.toString());
    return (long) matrix.rows() * matrix.columns();
  }

  private static long dataSet(Path file) throws IOException {
    DataSet data = DataSetFile.read(file);
    return data.getFeatures().length();
  }

  private void requireArrayOrComplaint(byte[] bytes, long memory, Reader reader)
      throws IOException {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    read(bytes, reader);
    assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(memory);
  }

  private void read(byte[] bytes, Reader reader) throws IOException {
    Files.write(file, bytes);
    try {
      assertThat(reader.entries(file)).isPositive();
    } catch (BadFileException complaint) {
      assertThat(complaint.getMessage()).doesNotContainPattern("\\R").hasSizeLessThan(600);
    }
  }

  /** One to four changes; now and then nothing of the file is left. */
  private static byte[] damaged(byte[] good, RandomStream random) {
    byte[] bytes = good;
    for (int changes = 1 + random.nextInt(4); changes > 0 && bytes.length > 0; changes--) {
      bytes = change(bytes, random.nextInt(bytes.length), random);
    }
    return bytes;
  }

  private static byte[] change(byte[] bytes, int at, RandomStream random) {
    return switch (random.nextInt(8)) {
      case 0 -> Arrays.copyOf(bytes, at);
      case 1 -> spliced(bytes, at, at, randomBytes(1 + random.nextInt(20), random));
      case 2 ->
          spliced(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(20)), new byte[0]);
      case 3 -> spliced(bytes, at, at, Arrays.copyOfRange(bytes, random.nextInt(at + 1), at));
      case 4 -> random.nextInt(20) == 0 ? randomBytes(random.nextInt(300), random) : bytes;
      case 5 -> lie(bytes, at, random);
      case 6 -> with(bytes, at, (byte) (bytes[at] ^ (1 << random.nextInt(8))));
      default -> with(bytes, at, (byte) random.nextInt(256));
    };
  }

  private static byte[] with(byte[] bytes, int at, byte value) {
    byte[] changed = bytes.clone();
    changed[at] = value;
    return changed;
  }

  /** A number of 2, 4 or 8 bytes in either byte order, or digits. */
  private static byte[] lie(byte[] bytes, int at, RandomStream random) {
    long value = LIES[random.nextInt(LIES.length)];
    int form = random.nextInt(7);
    if (form == 6) {
      byte[] digits = Long.toString(value).getBytes(StandardCharsets.US_ASCII);
      return spliced(bytes, at, Math.min(bytes.length, at + 1), digits);
    }
    int length = 2 << form % 3;
    byte[] changed = bytes.clone();
    for (int i = 0; i < length && at + i < bytes.length; i++) {
      changed[at + i] = (byte) (value >> (8 * (form < 3 ? i : length - 1 - i)));
    }
    return changed;
  }

  private static byte[] spliced(byte[] bytes, int from, int to, byte[] inserted) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(bytes, 0, from);
    out.writeBytes(inserted);
    out.write(bytes, to, bytes.length - to);
    return out.toByteArray();
  }

  private static byte[] randomBytes(int length, RandomStream random) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) random.nextInt(256);
    }
    return bytes;
  }

  private static byte[] resource(String name) throws IOException {
    return Files.readAllBytes(NpyFileTest.resource(name));
  }

  private static byte[] dataSet() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new DataSet(
            Nd4j.arange(6).castTo(DataType.DOUBLE).reshape(2, 3),
            Nd4j.arange(4).castTo(DataType.FLOAT).reshape('f', 2, 2),
            null,
            Nd4j.ones(DataType.BOOL, 2, 2))
        .save(out);
    return out.toByteArray();
  }
}
