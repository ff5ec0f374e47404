package api

var pageRoutes []route

func (s *Server) writeErrorPage(v *visit, err error) {}
