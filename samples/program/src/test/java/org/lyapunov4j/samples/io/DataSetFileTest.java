// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.ObjectOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The truth is what Deeplearning4j itself wrote. */
class DataSetFileTest {
  private static final INDArray X =
      Nd4j.createFromArray(new double[][] {{1.5, -2, 3}, {0, 1, 100}});
  private static final INDArray Y = Nd4j.createFromArray(new double[][] {{1, 0}, {0, 1}});

  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {
        "DOUBLE",
        "FLOAT",
        "HALF",
        "BFLOAT16",
        "LONG",
        "INT",
        "SHORT",
        "BYTE",
        "UBYTE",
        "BOOL"
      })
  void readsEveryTypeOfNumber(DataType type) throws IOException {
    INDArray x = X.castTo(type);

    DataSet read = DataSetFile.read(saved(new DataSet(x, Y)));

    assertThat(read.getFeatures().castTo(DataType.DOUBLE)).isEqualTo(x.castTo(DataType.DOUBLE));
    assertThat(read.getLabels()).isEqualTo(Y);
    assertThat(read.getFeaturesMaskArray()).isNull();
  }

  @Test
  void readsViewsOrdersMasksAndMoreDimensions() throws IOException {
    INDArray wide = Nd4j.arange(48).castTo(DataType.FLOAT).reshape(2, 4, 6);
    INDArray view = wide.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 3), NDArrayIndex.all());
    INDArray labels = view.dup('f');
    INDArray mask = Nd4j.createFromArray(new float[][] {{1, 1, 1, 1, 0, 0}, {1, 1, 1, 1, 1, 1}});
    DataSet written = new DataSet(view, labels, mask, mask.dup('f'));

    DataSet read = DataSetFile.read(saved(written));

    assertThat(read.getFeatures()).isEqualTo(view);
    assertThat(read.getLabels()).isEqualTo(labels);
    assertThat(read.getLabels().ordering()).isEqualTo('f');
    assertThat(read.getFeaturesMaskArray()).isEqualTo(mask);
    assertThat(read.getLabelsMaskArray()).isEqualTo(mask);
  }

  @Test
  void labelsMayBeTheFeatures() throws IOException {
    DataSet read = DataSetFile.read(saved(new DataSet(X, X)));
    assertThat(read.getLabels()).isEqualTo(X);
  }

  @Test
  void leavesSerialisedObjectsUnread() throws IOException {
    DataSet written = new DataSet(X, Y);
    written.setExampleMetaData(List.of("first", "second"));
    written.setLabelNames(List.of("a", "b"));
    Path file = saved(written);
    byte[] bytes = Files.readAllBytes(file);
    Arrays.fill(bytes, bytes.length - 20, bytes.length, (byte) 0x55);
    Files.write(file, bytes);

    DataSet read = DataSetFile.read(file);

    assertThat(read.getFeatures()).isEqualTo(X);
    assertThat(read.getExampleMetaData()).isNull();
    assertThat(read.getLabelNamesList()).isNullOrEmpty();
  }

  @Test
  void refusesEveryTruncation() throws IOException {
    byte[] whole = Files.readAllBytes(saved(new DataSet(X, Y)));
    for (int length = 0; length < whole.length; length++) {
      assertComplaint(Arrays.copyOf(whole, length), "truncated");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0x80 | Python pickle",
        "0x00 | got the flags 0",
        "0x02 | got one without",
        "0x01 | got one without",
      })
  void refusesOtherFlags(String flags, String complaint) throws IOException {
    byte[] bytes = Files.readAllBytes(saved(new DataSet(X, Y)));
    bytes[0] = (byte) (int) Integer.decode(flags);
    assertComplaint(bytes, complaint);
  }

  @Test
  void refusesShapesThatDoNotFit() throws IOException {
    byte[] bytes = Files.readAllBytes(saved(new DataSet(X, Y)));
    int shape = 1 + 2 + "MIXED_DATA_TYPES".length() + 8 + 2 + "LONG".length();
    assertThat(ByteBuffer.wrap(bytes).getLong(shape)).isEqualTo(2);
    assertComplaint(with(bytes, shape, 3), "got a rank of 3");
    assertComplaint(with(bytes, shape + 8, 3), "[3, 3] must have 9 entries, got 6");
    assertComplaint(with(bytes, shape + 8, 1L << 40), "1 to 1073741824 entries");
    assertComplaint(with(bytes, shape + 8, -2), "1 to 1073741824 entries");
    assertComplaint(with(bytes, shape + 24, 1), "stored without gaps");
    assertComplaint(with(bytes, shape - 4 - 2 - 8, 1L << 40), "2 to 5 dimensions");
  }

  private static byte[] with(byte[] bytes, int at, long value) {
    byte[] changed = bytes.clone();
    ByteBuffer.wrap(changed).putLong(at, value);
    return changed;
  }

  @Test
  void refusesSerialisedDataSetsAndText() throws IOException {
    Path file = folder.resolve("serialised.bin");
    try (ObjectOutputStream out = new ObjectOutputStream(Files.newOutputStream(file))) {
      out.writeObject(new DataSet(X, Y));
    }
    assertComplaint(Files.readAllBytes(file), "serialised Java objects");
    DataSet text = new DataSet(X, Nd4j.create("a", "b").reshape(2, 1));
    assertComplaint(Files.readAllBytes(saved(text)), "got 'UTF8'");
  }

  private Path saved(DataSet data) {
    Path file = folder.resolve("data.bin");
    data.save(file.toFile());
    return file;
  }

  private void assertComplaint(byte[] bytes, String complaint) throws IOException {
    Path file = Files.write(folder.resolve("bad.bin"), bytes);
    assertThatThrownBy(() -> DataSetFile.read(file))
        .isInstanceOf(BadFileException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(complaint);
  }
}
