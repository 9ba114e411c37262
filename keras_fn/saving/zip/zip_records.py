"""The records of a zip file, for its reader and its writer.

Reference: PKWARE, APPNOTE.TXT 6.3, sections 4.3 to 4.5.
"""

import struct

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
LOCATOR64 = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
# Behind the content of a member whose size was not known before: CRC-32 and sizes.
DESCRIPTORS = (struct.Struct("<4s3L"), struct.Struct("<4sL2Q"))

LOCAL_SIGNATURE, CENTRAL_SIGNATURE, END_SIGNATURE = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
LOCATOR64_SIGNATURE, END64_SIGNATURE = b"PK\x06\x07", b"PK\x06\x06"

STORED, DEFLATED = 0, 8
UTF8_FLAG, DESCRIPTOR_FLAG = 0x800, 0x008
OLDEST_VERSION, NEWEST_VERSION = 20, 45  # the second one has 64-bit sizes
FULL_16, FULL_32 = 0xFFFF, 0xFFFFFFFF  # "see the 64-bit field"
ZIP64_EXTRA = 0x0001
