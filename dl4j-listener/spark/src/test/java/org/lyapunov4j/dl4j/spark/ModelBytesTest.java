// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;

/** Of an archive three entries are used, and no Java object in it is brought to life. */
class ModelBytesTest {
  private static boolean read;

  /** Tells when it is deserialised. */
  private static final class Bomb implements Serializable {
    private static final long serialVersionUID = 1;

    private void readObject(ObjectInputStream stream) throws IOException, ClassNotFoundException {
      stream.defaultReadObject();
      read = true;
    }
  }

  private static byte[] bomb() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
      stream.writeObject(new Bomb());
    }
    return bytes.toByteArray();
  }

  private static Map<String, byte[]> entries(byte[] archive) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipInputStream stream = new ZipInputStream(new ByteArrayInputStream(archive))) {
      for (ZipEntry entry = stream.getNextEntry(); entry != null; entry = stream.getNextEntry()) {
        entries.put(entry.getName(), stream.readAllBytes());
      }
    }
    return entries;
  }

  private static byte[] archive(Map<String, byte[]> entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream stream = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        stream.putNextEntry(new ZipEntry(entry.getKey()));
        stream.write(entry.getValue());
      }
    }
    return bytes.toByteArray();
  }

  @Test
  void javaObjectsInAnArchiveAreNotRead() throws IOException {
    MultiLayerNetwork network = Runs.network(3, 6, 1);
    network.fit(Runs.data(8, 3, 5));
    Map<String, byte[]> entries = entries(ModelBytes.of(network));
    assertThat(entries)
        .containsOnlyKeys("configuration.json", "coefficients.bin", "updaterState.bin");
    for (String name : new String[] {"preprocessor.bin", "normalizer.bin", "../../objects.bin"}) {
      entries.put(name, bomb());
    }
    byte[] mined = archive(entries);

    read = false;
    MultiLayerNetwork restored = (MultiLayerNetwork) ModelBytes.restore(mined);
    assertThat(read).isFalse();
    assertThat(restored.params()).isEqualTo(network.params());
    assertThat(restored.getUpdater().getStateViewArray())
        .isEqualTo(network.getUpdater().getStateViewArray());
  }

  /** Why the entries are chosen: Deeplearning4j does read them. */
  @Test
  void deeplearning4jWouldReadThem() throws IOException {
    Map<String, byte[]> entries = entries(ModelBytes.of(Runs.network(3, 6, 1)));
    entries.put("preprocessor.bin", bomb());
    read = false;
    assertThatThrownBy(
            () ->
                ModelSerializer.restoreMultiLayerNetwork(
                    new ByteArrayInputStream(archive(entries)), true))
        .isInstanceOf(ClassCastException.class);
    assertThat(read).isTrue();
  }

  @Test
  void whatIsNoModelIsRefusedByName() throws IOException {
    Map<String, byte[]> entries = entries(ModelBytes.of(Runs.network(3, 6, 1)));
    entries.remove("coefficients.bin");
    byte[] archive = archive(entries);
    assertThatThrownBy(() -> ModelBytes.restore(archive))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("configuration.json and coefficients.bin, got an archive of")
        .hasMessageContaining("ModelSerializer.writeModel");
  }
}
