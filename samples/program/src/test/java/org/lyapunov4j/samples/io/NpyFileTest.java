// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The files {@code *.npy} in the resources were written by NumPy itself. */
class NpyFileTest {
  private static final double[][] SAVED = {{1.5, -2.25, 3}, {4, 5e-300, -6}};

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {"rows-f8", "columns-f8", "rows-bigf8", "columns-bigf8", "version2", "version3"})
  void readsDoublesAsNumpyWroteThem(String name) throws IOException {
    NumericMatrix matrix = ArrayFile.readMatrix(resource(name + ".npy").toString());

    assertThat(matrix.isSinglePrecision()).isFalse();
    assertThat(matrix.rows()).isEqualTo(2);
    assertThat(matrix.columns()).isEqualTo(3);
    assertThat(matrix.doubles()).isDeepEqualTo(SAVED);
    assertThatThrownBy(matrix::floats).isInstanceOf(IllegalStateException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rows-f4", "columns-f4", "rows-bigf4", "columns-bigf4"})
  void readsFloatsAsNumpyWroteThem(String name) throws IOException {
    NumericMatrix matrix = ArrayFile.readMatrix(resource(name + ".npy").toString());

    assertThat(matrix.isSinglePrecision()).isTrue();
    assertThat(matrix.floats()).isDeepEqualTo(new float[][] {{1.5f, -2.25f, 3}, {4, 0, -6}});
    assertThatThrownBy(matrix::doubles).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void writesWhatNumpyWrites() throws IOException {
    Path file = folder.resolve("written.npy");

    NpyFile.write(file, SAVED);

    assertThat(file).hasSameBinaryContentAs(resource("rows-f8.npy"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "objects.npy    | got Python objects",
        "complex.npy    | got '<c16'",
        "text.npy       | got '<U1'",
        "structured.npy | got a structured type",
        "vector.npy     | got 1 dimensions [3]",
        "two.npz        | must hold one array, got [G, y]",
        "pickle.npy     | got what looks like a Python pickle",
        "model.pt       | PyTorch's files",
        "pickled.npz    | got Python objects",
      })
  void refusesOtherThings(String name, String complaint) throws IOException {
    assertComplaint(resource(name), complaint);
  }

  @Test
  void refusesMissingFilesAndFolders() throws IOException {
    assertComplaint(folder.resolve("absent.npy"), "must exist");
    assertComplaint(folder, "must be a readable regular file");
  }

  @Test
  void refusesEveryTruncation() throws IOException {
    byte[] whole = Files.readAllBytes(resource("rows-f8.npy"));
    for (int length = 6; length < whole.length; length++) {
      Path file = Files.write(folder.resolve("short.npy"), Arrays.copyOf(whole, length));
      assertComplaint(file, "truncated");
    }
  }

  @Test
  void refusesTrailingBytes() throws IOException {
    byte[] whole = Files.readAllBytes(resource("rows-f8.npy"));
    Path file = Files.write(folder.resolve("long.npy"), Arrays.copyOf(whole, whole.length + 1));

    assertComplaint(file, "must end after the 176 bytes that its header announces, got more");
  }

  @Test
  void takesNoMemoryForEntriesThatAreNotThere() throws IOException {
    Path file =
        withHeader(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1048576, 1048576), }");

    assertComplaint(file, "truncated");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }          | got 0 × 3",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999, 3), }    | got 9999999 × 3",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3), }         | nonnegative",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 3), } | nonnegative",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), 'x': 1}    | the key 'x' is unknown",
        "{'descr': '<f8', 'fortran_order': False, 'fortran_order': True}      | comes twice",
        "{'descr': '<f8', 'fortran_order': False}                             | exactly the keys",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (2, 3)}                | True or False",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)} + evil()   | exactly the keys",
        "__import__('os').system('true')                                      | '{' is missing",
      })
  void refusesOtherHeaders(String header, String complaint) throws IOException {
    assertComplaint(withHeader(1, header), complaint);
  }

  @Test
  void refusesHugeHeadersAndUnknownVersions() throws IOException {
    assertComplaint(withHeader(1, " ".repeat(10_001)), "at most 10000 bytes, got 10001");
    assertComplaint(withHeader(4, "{}"), "version 1, 2 or 3, got 4");
    Path file = withHeader(2, "{}");
    byte[] bytes = Files.readAllBytes(file);
    Arrays.fill(bytes, 8, 12, (byte) 0xff);
    Files.write(file, bytes);
    assertComplaint(file, "at most 10000 bytes, got 4294967295");
  }

  private Path withHeader(int version, String header) throws IOException {
    return Files.write(folder.resolve("header.npy"), npy(version, header));
  }

  static byte[] npy(int version, String header) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    int field = version == 1 ? 2 : 4;
    byte[] bytes = new byte[8 + field + text.length];
    System.arraycopy(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'}, 0, bytes, 0, 6);
    bytes[6] = (byte) version;
    for (int i = 0; i < field; i++) {
      bytes[8 + i] = (byte) (text.length >> (8 * i));
    }
    System.arraycopy(text, 0, bytes, 8 + field, text.length);
    return bytes;
  }

  private static void assertComplaint(Path file, String complaint) {
    assertThatThrownBy(() -> ArrayFile.readMatrix(file.toString()))
        .isInstanceOf(BadFileException.class)
        .hasMessageStartingWith(file + ":")
        .hasMessageContaining(complaint)
        .message()
        .doesNotContain("\n");
  }

  static Path resource(String name) {
    try {
      return Path.of(NpyFileTest.class.getResource(name).toURI());
    } catch (java.net.URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
