/** ASN.1 structures that the library does not bring. Its decorators are plain functions; they are called as such. */
import { EncryptedContentInfo } from "@peculiar/asn1-cms";
import { AsnProp, AsnPropTypes, AsnType, AsnTypeTypes, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier } from "@peculiar/asn1-x509";

/** EncryptedData ::= SEQUENCE { version, encryptedContentInfo, … } (RFC 5652 section 8) */
export class EncryptedData {
  version = 0;
  encryptedContentInfo = new EncryptedContentInfo();
}
sequence(EncryptedData);
AsnProp({ type: AsnPropTypes.Integer })(EncryptedData.prototype, "version");
AsnProp({ type: EncryptedContentInfo })(EncryptedData.prototype, "encryptedContentInfo");

/** PKCS12PbeParams ::= SEQUENCE { salt OCTET STRING, iterations INTEGER } (RFC 7292 appendix C) */
export class Pkcs12PbeParams {
  salt = new OctetString();
  iterations = 0;
}
sequence(Pkcs12PbeParams);
AsnProp({ type: OctetString })(Pkcs12PbeParams.prototype, "salt");
AsnProp({ type: AsnPropTypes.Integer })(Pkcs12PbeParams.prototype, "iterations");

/** PBES2-params ::= SEQUENCE { keyDerivationFunc, encryptionScheme } (RFC 8018 appendix A.4) */
export class Pbes2Params {
  keyDerivationFunc = new AlgorithmIdentifier();
  encryptionScheme = new AlgorithmIdentifier();
}
sequence(Pbes2Params);
AsnProp({ type: AlgorithmIdentifier })(Pbes2Params.prototype, "keyDerivationFunc");
AsnProp({ type: AlgorithmIdentifier })(Pbes2Params.prototype, "encryptionScheme");

/** PBKDF2-params ::= SEQUENCE { salt, iterationCount, keyLength OPTIONAL, prf DEFAULT hmacWithSHA1 } (A.2) */
export class Pbkdf2Params {
  salt = new OctetString();
  iterations = 0;
  keyLength?: number;
  prf?: AlgorithmIdentifier;
}
sequence(Pbkdf2Params);
AsnProp({ type: OctetString })(Pbkdf2Params.prototype, "salt");
AsnProp({ type: AsnPropTypes.Integer })(Pbkdf2Params.prototype, "iterations");
AsnProp({ type: AsnPropTypes.Integer, optional: true })(Pbkdf2Params.prototype, "keyLength");
AsnProp({ type: AlgorithmIdentifier, optional: true })(Pbkdf2Params.prototype, "prf");

/**
 * SignedData (RFC 5652 section 5.1) of which only the certificates count, each with the octets that it came in.
 */
export class CertificatesOnly {
  version = 0;
  digestAlgorithms: ArrayBuffer[] = [];
  encapContentInfo = new ArrayBuffer(0);
  certificates?: ArrayBuffer[];
  crls?: ArrayBuffer[];
  signerInfos: ArrayBuffer[] = [];
}
sequence(CertificatesOnly);
const anySet = { type: AsnPropTypes.Any, repeated: "set" } as const;
AsnProp({ type: AsnPropTypes.Integer })(CertificatesOnly.prototype, "version");
AsnProp(anySet)(CertificatesOnly.prototype, "digestAlgorithms");
AsnProp({ type: AsnPropTypes.Any })(CertificatesOnly.prototype, "encapContentInfo");
AsnProp({ ...anySet, context: 0, implicit: true, optional: true })(
  CertificatesOnly.prototype,
  "certificates",
);
AsnProp({ ...anySet, context: 1, implicit: true, optional: true })(CertificatesOnly.prototype, "crls");
AsnProp(anySet)(CertificatesOnly.prototype, "signerInfos");

function sequence(target: new () => object): void {
  AsnType({ type: AsnTypeTypes.Sequence })(target);
}
