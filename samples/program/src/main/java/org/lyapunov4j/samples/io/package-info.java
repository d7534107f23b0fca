// SPDX-License-Identifier: Apache-2.0
/** Readers that trust no file: bounded, strict, and clear about what is wrong. */
package org.lyapunov4j.samples.io;
