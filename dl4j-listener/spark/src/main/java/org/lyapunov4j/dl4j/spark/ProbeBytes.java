// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.lyapunov4j.dl4j.ProbeSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Probes on the way to the executors. */
final class ProbeBytes {
  private ProbeBytes() {}

  static byte[] of(MultiDataSet data) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    data.save(bytes);
    return bytes.toByteArray();
  }

  static ProbeSet restore(byte[] bytes) throws IOException {
    MultiDataSet data = new org.nd4j.linalg.dataset.MultiDataSet();
    data.load(new ByteArrayInputStream(bytes));
    return ProbeSet.of(data);
  }
}
