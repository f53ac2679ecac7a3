/** XMP for tests, with the names that cameras and phones use. */

export const xmpOf = (attributes: string, content = "") =>
  `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" xmlns:Cam="http://ns.google.com/photos/1.0/camera/"
 xmlns:Box="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/"
 xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 ${attributes}>${content}<dc:title>Title</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>`;
