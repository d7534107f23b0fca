// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArrayFileTest {
  private static final double[][] SAVED = {{1.5, -2.25, 3}, {4, 0, -6}};

  @TempDir private Path folder;

  @Test
  void readsHalfPrecisionAndBool() throws IOException {
    assertThat(ArrayFile.readMatrix(resource("half.npy")).floats())
        .isDeepEqualTo(
            new float[][] {{1.5f, -2.25f, 65504}, {0x1p-24f, -0f, Float.POSITIVE_INFINITY}});
    assertThat(ArrayFile.readMatrix(resource("bool.npy")).floats())
        .isDeepEqualTo(new float[][] {{1, 0, 1}, {1, 0, 0}});
  }

  @ParameterizedTest
  @CsvSource({
    "i1, 127, -7",
    "u1, 255, 1",
    "i2, 32767, -7",
    "u2, 65535, 1",
    "i4, 2147483647, -7",
    "u4, 4294967295, 1",
    "i8, 9007199254740992, -7",
    "u8, 9007199254740992, 1"
  })
  void readsIntegers(String type, double top, double last) throws IOException {
    NumericMatrix matrix = ArrayFile.readMatrix(resource(type + ".npy"));

    for (int j = 0; j < 3; j++) {
      assertThat(entry(matrix, 0, j)).isEqualTo(new double[] {1, 2, top}[j]);
      assertThat(entry(matrix, 1, j)).isEqualTo(new double[] {0, 100, last}[j]);
    }
  }

  private static double entry(NumericMatrix matrix, int i, int j) {
    return matrix.isSinglePrecision() ? matrix.floats()[i][j] : matrix.doubles()[i][j];
  }

  @Test
  void refusesIntegersThatDoublesRound() {
    assertComplaint(resource("large.npy"), "integers must be within 2^53 of 0");
  }

  @Test
  void readsTensorsAndTakesVectorsForColumns() throws IOException {
    NumericArray tensor = ArrayFile.read(resource("tensor.npy"));
    assertThat(tensor.shape()).containsExactly(2, 3, 4);
    assertThat(tensor.toINDArray().getDouble(1, 0, 2)).isEqualTo(14);
    assertThat(ArrayFile.read(resource("two.npz") + ":y").shape()).containsExactly(2, 1);
  }

  @Test
  void readsArchivesAsNumpyWroteThem() throws IOException {
    assertThat(ArrayFile.readMatrix(resource("one.npz")).doubles()).isDeepEqualTo(SAVED);
    assertThat(ArrayFile.readMatrix(resource("two.npz") + ":G").doubles()).isDeepEqualTo(SAVED);
    float[][] floats = ArrayFile.readMatrix(resource("compressed.npz")).floats();
    assertThat(floats).isDeepEqualTo(new float[][] {{1.5f, -2.25f, 3}, {4, 0, -6}});
    assertThat(ArrayFile.read(resource("compressed.npz")).toINDArray().toFloatMatrix())
        .isDeepEqualTo(floats);
  }

  @Test
  void refusesOtherNamesInArchives() {
    assertComplaint(resource("two.npz") + ":x", "must hold an array 'x', got [G, y]");
  }

  @Test
  void readsCompressedArrays() throws IOException {
    Path file = folder.resolve("G.npy.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(Files.readAllBytes(Path.of(resource("rows-f8.npy"))));
    }
    assertThat(ArrayFile.readMatrix(file.toString()).columns()).isEqualTo(3);
  }

  @Test
  void readsTablesOfText() throws IOException {
    double[][] expected = {{1.5, -2.25, 3}, {4e2, .5, -6}};
    for (String text :
        List.of(
            "1.5,-2.25,3\n4e2,.5,-6\n",
            "a,b,c\r\n1.5, -2.25 ,+3\r\n4E+2,0.5,-6.",
            "# from numpy.savetxt\n\"1.5\",-2.25,3\n\n400,.5,-6")) {
      Path file = Files.writeString(folder.resolve("table.csv"), text);
      assertThat(ArrayFile.readMatrix(file.toString()).doubles()).isDeepEqualTo(expected);
    }
    Path tabs = Files.writeString(folder.resolve("table.tsv"), "1\t2\n3\t4\n");
    assertThat(ArrayFile.read(tabs.toString()).doubles()).containsExactly(1, 2, 3, 4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''            | at least one row",
        "'a,b'         | at least one row",
        "'1,2\n3'      | every row must have 2 fields as the first, got 1 in row 2",
        "'1,2\n3,'     | got '' in row 2, column 2",
        "'1,x'         | got 'x' in row 1, column 2",
        "'1,nan'       | finite numbers, got 'nan'",
        "'1,1e999'     | finite numbers, got '1e999'",
        "'1,0x1p3'     | finite numbers",
        "'1,\"2'       | broken text",
        "'1 2\n3 4'    | got '3 4' in row 2",
      })
  void refusesOtherTables(String text, String complaint) throws IOException {
    Path file = Files.writeString(folder.resolve("table.csv"), text);
    assertComplaint(file.toString(), complaint);
  }

  @Test
  void refusesTextInOtherEncodings() throws IOException {
    Path file =
        Files.write(folder.resolve("t.csv"), "λ,1\n2,3\n".getBytes(StandardCharsets.UTF_16));
    assertComplaint(file.toString(), "in UTF-8, got bytes that are not");
  }

  @Test
  void refusesSerialisedObjectsAndOtherFiles() throws IOException {
    Path objects = folder.resolve("objects.csv");
    try (ObjectOutputStream out = new ObjectOutputStream(Files.newOutputStream(objects))) {
      out.writeObject(new double[] {1});
    }
    assertComplaint(objects.toString(), "got serialised Java objects, which are never read");
    Path other = Files.writeString(folder.resolve("G.mat"), "MATLAB 5.0");
    assertComplaint(other.toString(), "got another kind of file");
  }

  @Test
  void refusesBombs() throws IOException {
    int side = 8192;
    String header =
        "{'descr': '|b1', 'fortran_order': False, 'shape': (%d, %d), }".formatted(side, side);
    byte[] start = NpyFileTest.npy(1, header);
    Path zip = folder.resolve("bomb.npz");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      out.putNextEntry(new ZipEntry("G.npy"));
      writeZeros(out, start, side);
    }
    Path gzip = folder.resolve("bomb.npy.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(gzip))) {
      writeZeros(out, start, side);
    }
    assertThat(Files.size(zip)).isLessThan(100_000);
    assertComplaint(zip.toString(), "compressed bytes may become at most 67108864");
    assertComplaint(gzip.toString(), "compressed bytes may become at most 67108864");
  }

  private static void writeZeros(OutputStream out, byte[] start, int side) throws IOException {
    out.write(start);
    byte[] zeros = new byte[side];
    for (int i = 0; i < side; i++) {
      out.write(zeros);
    }
  }

  @Test
  void refusesWhatTheHeapCannotHold() throws IOException {
    // A sparse file: as long as its header says, but without blocks on the disk.
    String header = "{'descr': '|i1', 'fortran_order': False, 'shape': (1048576, 1048575), }";
    Path file = Files.write(folder.resolve("huge.npy"), NpyFileTest.npy(1, header));
    try (var channel =
        java.nio.channels.FileChannel.open(file, java.nio.file.StandardOpenOption.WRITE)) {
      channel.write(java.nio.ByteBuffer.allocate(1), channel.size() + 1048576L * 1048575 - 1);
    }
    assertComplaint(file.toString(), "start java with a larger -Xmx");
  }

  @Test
  void refusesBrokenArchives() throws IOException {
    byte[] whole = Files.readAllBytes(Path.of(resource("compressed.npz")));
    for (int length = 4; length < whole.length; length++) {
      Path file = Files.write(folder.resolve("short.npz"), java.util.Arrays.copyOf(whole, length));
      assertComplaint(file.toString(), "broken zip archive");
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes)) {
      out.putNextEntry(new ZipEntry("G.npy"));
      out.write("no array".getBytes(StandardCharsets.US_ASCII));
    }
    Path file = Files.write(folder.resolve("other.npz"), bytes.toByteArray());
    assertComplaint(file.toString(), "other.npz:G.npy: must be a NumPy array");
  }

  private static void assertComplaint(String place, String complaint) {
    assertThatThrownBy(() -> ArrayFile.readMatrix(place))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(complaint)
        .message()
        .doesNotContain("\n");
  }

  private static String resource(String name) {
    return NpyFileTest.resource(name).toString();
  }
}
