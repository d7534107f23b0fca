// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** What Deeplearning4j's training on Spark does with listeners. */
class SerialisationRefusedTest {
  @Test
  void theRefusalNamesWhatToDoInstead() throws Exception {
    try (LyapunovListener listener =
            LyapunovListener.builder(Networks.data(1, 4, 2, 1, DataType.DOUBLE)).build();
        ObjectOutputStream stream = new ObjectOutputStream(new ByteArrayOutputStream())) {
      assertThatThrownBy(() -> stream.writeObject(new Object[] {listener}))
          .isInstanceOf(NotSerializableException.class)
          .hasMessageContaining("must not be sent")
          .hasMessageContaining("StabilityAnalysis.of(sparkNet.getNetwork(), probe)");
    }
  }
}
