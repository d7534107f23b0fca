// SPDX-License-Identifier: Apache-2.0
/** What this machine computes with, and whether it computes right. */
package org.lyapunov4j.samples.doctor;
